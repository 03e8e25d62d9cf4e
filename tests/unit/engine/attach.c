#include "engine/attach.h"
#include "base/own.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/sock.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 10000 };

/* A keeper without a process: what it would write is added to the ring, what it would be typed comes out of the pipe. */
struct stage {
	char path[32];
	int dir, typed;
	struct ring ring;
	struct winsize size;
	struct attach attach;
};

static struct stage *set_up(void)
{
	static struct stage stage;
	int ends[2];

	stage = (struct stage){ .path = "/tmp/coffer-attach.XXXXXX" };
	assert_non_null(mkdtemp(stage.path));
	stage.dir = open(stage.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(ring_make(stage.dir, "ring", ROOM, &stage.ring), 0);
	assert_int_equal(fd_pipe(ends), 0);
	assert_int_equal(fd_set_nonblocking(ends[1]), 0);
	stage.typed = ends[0];
	stage.attach = (struct attach){ .keys = ends[1], .size = &stage.size };
	assert_int_equal(attach_open(&stage.attach, stage.dir, &stage.ring, 1), 0);
	return &stage;
}

static void tear_down(struct stage *stage)
{
	attach_end(&stage->attach, 1000);
	close(stage->typed);
	close(stage->ring.fd);
	close(stage->dir);
	assert_int_equal(file_remove_tree(AT_FDCWD, stage->path), 0);
}

static void say(int fd, uint32_t type, uint32_t a, uint32_t b, uint64_t n)
{
	const struct keep_packet packet = { .type = type, .a = a, .b = b, .n = n };

	assert_int_equal(sock_send(fd, &packet, sizeof(packet)), 0);
}

static int come(struct stage *stage, uint64_t repeat)
{
	int fd = keep_connect(stage->dir);

	assert_true(fd >= 0);
	say(fd, KEEP_HELLO, KEEP_VERSION, 0, repeat);
	(void)attach_turn(&stage->attach);
	(void)attach_turn(&stage->attach);
	return fd;
}

static struct {
	struct keep_packet head;
	char bytes[KEEP_BYTES_MAX];
} got;

/* The next packet's type, and how many bytes it has; 0: there is none; -1: he was let go. */
static int hear(int fd, size_t *ret_n)
{
	int none;
	ssize_t n = sock_receive(fd, &got, sizeof(got), &none);

	*ret_n = n > 0 ? (size_t)n - sizeof(got.head) : 0;
	return n > 0 ? (int)got.head.type : n == -EAGAIN ? 0 : -1;
}

static void hears(int fd, int type, const char *bytes)
{
	size_t n;

	assert_int_equal(hear(fd, &n), type);
	assert_int_equal(n, strlen(bytes));
	assert_memory_equal(got.bytes, bytes, n);
}

static void add(struct stage *stage, const char *text)
{
	ring_add(&stage->ring, text, strlen(text));
	attach_tell(&stage->attach);
}

static void what_was_and_what_comes(void **state)
{
	struct stage *stage = set_up();
	int all, few, none;

	(void)state;
	add(stage, "first\nsecond\n");
	all = come(stage, 100);
	few = come(stage, 9);
	none = come(stage, 0);
	hears(all, KEEP_HELLO, "");
	assert_int_equal(got.head.b, 1);
	hears(all, KEEP_OUTPUT_BYTES, "first\nsecond\n");
	hears(few, KEEP_HELLO, "");
	hears(few, KEEP_OUTPUT_BYTES, "second\n"); /* not the end of a line whose beginning is missing */
	hears(none, KEEP_HELLO, "");
	hears(none, 0, "");
	add(stage, "third");
	hears(all, KEEP_OUTPUT_BYTES, "third");
	hears(few, KEEP_OUTPUT_BYTES, "third");
	hears(none, KEEP_OUTPUT_BYTES, "third");
	close(few);
	(void)attach_turn(&stage->attach);
	add(stage, "last");
	hears(all, KEEP_OUTPUT_BYTES, "last");
	attach_end(&stage->attach, 1000);
	hears(all, KEEP_ENDED, "");
	close(all);
	close(none);
	tear_down(stage);
}

static void keys_and_sizes(void **state)
{
	struct stage *stage = set_up();
	int one = come(stage, 0), other = come(stage, 0);
	struct {
		struct keep_packet head;
		char bytes[5];
	} keys = { .head = { .type = KEEP_KEYS }, .bytes = "typed" };
	char bytes[100];

	(void)state;
	say(one, KEEP_SIZE, 20, 70, 0);
	assert_true(attach_turn(&stage->attach));
	assert_int_equal(stage->size.ws_row, 20);
	say(one, KEEP_SIZE, 20, 70, 0);
	assert_false(attach_turn(&stage->attach));
	say(other, KEEP_SIZE, 30, 90, 0);
	assert_true(attach_turn(&stage->attach));
	assert_int_equal(stage->size.ws_col, 90);
	assert_int_equal(sock_send(other, &keys, sizeof(keys.head) + sizeof(keys.bytes)), 0);
	(void)attach_turn(&stage->attach);
	assert_int_equal(read(stage->typed, bytes, sizeof(bytes)), 5);
	assert_memory_equal(bytes, "typed", 5);
	close(one);
	close(other);
	tear_down(stage);
}

/* A command that reads nothing: no key is lost, and nobody spins. */
static void keys_wait_for_room(void **state)
{
	static struct {
		struct keep_packet head;
		char bytes[KEEP_KEYS_MAX];
	} keys = { .head = { .type = KEEP_KEYS } };
	struct stage *stage = set_up();
	int one = come(stage, 0);
	size_t sent = 0, came = 0;
	ssize_t n;

	(void)state;
	for (int i = 0; i < 100; i++) {
		if (sock_send(one, &keys, sizeof(keys)) == 0)
			sent += KEEP_KEYS_MAX;
		(void)attach_turn(&stage->attach);
	}
	assert_true(stage->attach.keys_full);
	while (came < sent && (n = read(stage->typed, keys.bytes, sizeof(keys.bytes))) > 0) {
		came += (size_t)n;
		(void)attach_turn(&stage->attach);
		(void)attach_turn(&stage->attach);
	}
	assert_int_equal(came, sent);
	assert_false(stage->attach.keys_full);
	close(one);
	tear_down(stage);
}

/* Who does not read is told what he has missed, and keeps nobody waiting. */
static void the_slow(void **state)
{
	static char much[ROOM];
	struct stage *stage = set_up();
	int slow = come(stage, 0), quick = come(stage, 0);
	uint64_t slow_bytes = 0, lost = 0, quick_bytes = 0;
	size_t n;
	int type;

	(void)state;
	hears(slow, KEEP_HELLO, "");
	hears(quick, KEEP_HELLO, "");
	for (int i = 0; i < 200; i++) {
		ring_add(&stage->ring, much, sizeof(much));
		attach_tell(&stage->attach);
		(void)attach_turn(&stage->attach);
		while (hear(quick, &n) == KEEP_OUTPUT_BYTES)
			quick_bytes += n;
	}
	assert_int_equal(quick_bytes, stage->ring.total);
	while ((type = hear(slow, &n)) > 0) {
		slow_bytes += n;
		lost += type == KEEP_LOST ? got.head.n : 0;
		(void)attach_turn(&stage->attach);
	}
	assert_true(lost > 0);
	assert_int_equal(slow_bytes + lost, stage->ring.total);
	close(slow);
	close(quick);
	tear_down(stage);
}

static void who_is_refused(void **state)
{
	struct stage *stage = set_up();
	int fds[KEEP_ATTACHED_MAX], fd;

	(void)state;
	for (int i = 0; i < KEEP_ATTACHED_MAX; i++) {
		fds[i] = come(stage, 0);
		hears(fds[i], KEEP_HELLO, "");
	}
	fd = keep_connect(stage->dir);
	(void)attach_turn(&stage->attach);
	hears(fd, KEEP_REFUSED, "");
	assert_int_equal(got.head.a, EBUSY);
	hears(fd, -1, "");
	close(fd);
	close(fds[5]);
	(void)attach_turn(&stage->attach);
	fd = keep_connect(stage->dir); /* another build's */
	say(fd, KEEP_HELLO, KEEP_VERSION + 1, 0, 0);
	(void)attach_turn(&stage->attach);
	(void)attach_turn(&stage->attach);
	hears(fd, -1, "");
	close(fd);
	fd = keep_connect(stage->dir);
	say(fd, KEEP_KEYS, 0, 0, 0); /* without a greeting */
	(void)attach_turn(&stage->attach);
	(void)attach_turn(&stage->attach);
	hears(fd, -1, "");
	close(fd);
	for (int i = 0; i < KEEP_ATTACHED_MAX; i++)
		if (i != 5)
			close(fds[i]);
	tear_down(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_and_what_comes), cmocka_unit_test(keys_and_sizes),
		                            cmocka_unit_test(keys_wait_for_room), cmocka_unit_test(the_slow),
		                            cmocka_unit_test(who_is_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
