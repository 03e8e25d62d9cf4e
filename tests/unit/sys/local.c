#include "sys/local.h"

#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };

static struct sockaddr_un named(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	return address;
}

static int serve(const char *name, int type)
{
	struct sockaddr_un here = named(name);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	unlink(name);
	assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static int in_a_folder(void **state)
{
	char folder[] = "/tmp/coffer-local.XXXXXX";

	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

/* What everything rests on: whatever its holder tries, a blank connects to nothing, nor does what has become of one. */
static void a_blank_never_connects(void **state)
{
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_un there = named("server");

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		int server = serve("server", types[i]), blank = local_blank(types[i], 0);
		struct sockaddr_un own = named(i ? "own1" : "own0");

		assert_true(blank >= 0 && local_is_blank(blank));
		assert_int_equal(connect(blank, (struct sockaddr *)&there, sizeof(there)), -1);
		assert_int_equal(errno, EISCONN);
		assert_int_equal(connect(blank, &none, sizeof(none)), -1);
		assert_int_equal(listen(blank, 1), -1);
		assert_int_equal(sendto(blank, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&there, sizeof(there)), -1);
		assert_int_equal(shutdown(blank, SHUT_RDWR), 0);
		assert_int_equal(connect(blank, (struct sockaddr *)&there, sizeof(there)), -1);
		assert_int_equal(bind(blank, (struct sockaddr *)&own, sizeof(own)), 0);
		assert_int_equal(connect(blank, (struct sockaddr *)&there, sizeof(there)), -1);
		assert_int_equal(connect(server, (struct sockaddr *)&there, sizeof(there)), -1);
		assert_int_equal(shutdown(server, SHUT_RDWR), 0);
		assert_int_equal(connect(server, (struct sockaddr *)&there, sizeof(there)), -1);
		close(server);
		close(blank);
	}
}

static void others_are_no_blanks(void **state)
{
	int pair[2], fresh = socket(AF_UNIX, SOCK_STREAM, 0), inet = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_false(local_is_blank(pair[0]) || local_is_blank(fresh) || local_is_blank(inet) || local_is_blank(-1));
	assert_int_equal(local_blank(SOCK_DGRAM, 0), -ESOCKTNOSUPPORT);
	assert_int_equal(local_blank(SOCK_RAW, 0), -ESOCKTNOSUPPORT);
	assert_int_equal(local_blank(SOCK_STREAM | 0x40, 0), -ESOCKTNOSUPPORT);
	assert_int_equal(local_blank(SOCK_STREAM, 6), -EPROTONOSUPPORT);
	close(pair[0]), close(pair[1]), close(fresh), close(inet);
}

static int option(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, name, &value, &len), 0);
	return value;
}

static void the_successor_has_what_was_set(void **state)
{
	const struct timeval wait = { .tv_sec = 7 };
	struct timeval got;
	socklen_t len = sizeof(got);
	int on = 1, size = 30000;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		int blank = local_blank(types[i] | SOCK_NONBLOCK, PF_UNIX), fd;

		assert_true(fcntl(blank, F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(blank, F_GETFD) & FD_CLOEXEC);
		setsockopt(blank, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		setsockopt(blank, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
		setsockopt(blank, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		fd = local_successor(blank);
		assert_int_equal(option(fd, SO_TYPE), types[i]);
		assert_int_equal(option(fd, SO_SNDBUF), option(blank, SO_SNDBUF));
		assert_int_equal(option(fd, SO_RCVBUF), option(blank, SO_RCVBUF));
		assert_int_equal(option(fd, SO_PASSCRED), 1);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &len), 0);
		assert_int_equal(got.tv_sec, 7);
		close(fd);
		close(blank);
	}
}

static struct stat look(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st;
}

static void known_sockets_are_known_by_inode(void **state)
{
	static struct local_set set;
	struct stat first, other;
	int one = serve("one", SOCK_STREAM), two = serve("two", SOCK_STREAM);

	(void)state;
	first = look("one");
	other = look("two");
	assert_int_equal(local_set_add(&set, open("one", O_PATH | O_CLOEXEC)), 0);
	assert_int_equal(local_set_add(&set, open(".", O_PATH | O_CLOEXEC)), -ENOTSOCK);
	assert_true(local_set_has(&set, &first));
	assert_false(local_set_has(&set, &other));
	rename("one", "three");
	rename("two", "one");
	other = look("one");
	first = look("three");
	assert_true(local_set_has(&set, &first));
	assert_false(local_set_has(&set, &other));
	/* Full of what has a name: no more. What has none makes room. */
	while (set.n < LOCAL_KNOWN_MAX)
		assert_int_equal(local_set_add(&set, open("three", O_PATH | O_CLOEXEC)), 0);
	assert_int_equal(local_set_add(&set, open("one", O_PATH | O_CLOEXEC)), -ENFILE);
	unlink("three");
	assert_int_equal(local_set_add(&set, open("one", O_PATH | O_CLOEXEC)), 0);
	assert_int_equal(set.n, 1);
	assert_true(local_set_has(&set, &other));
	close(one), close(two);
}

static void peers_of_ones_own_namespace_are_visible(void **state)
{
	struct sockaddr_un there = named("here");
	int server = serve("here", SOCK_STREAM), fd = socket(AF_UNIX, SOCK_STREAM, 0), lonely = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(connect(fd, (struct sockaddr *)&there, sizeof(there)), 0);
	assert_true(local_peer_is_visible(fd));
	assert_false(local_peer_is_visible(lonely));
	close(fd), close(server), close(lonely);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blank_never_connects),
		cmocka_unit_test(others_are_no_blanks),
		cmocka_unit_test(the_successor_has_what_was_set),
		cmocka_unit_test(known_sockets_are_known_by_inode),
		cmocka_unit_test(peers_of_ones_own_namespace_are_visible),
	};

	return cmocka_run_group_tests(tests, in_a_folder, NULL);
}
