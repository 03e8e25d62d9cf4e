#include "engine/streams.h"

#include "unit/engine/course.h"

/* Gives a descriptor with the text to read, and one whose text is given by gathered. */
static int text_file(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static const char *gathered(int fd)
{
	char *text = arena_alloc(&arena, 1 << 16);
	ssize_t n = pread(fd, text, (1 << 16) - 1, 0);

	assert_true(n >= 0);
	return text;
}

static void files(void **state)
{
	struct course *c = new_course();
	int in = text_file("one\ntwo\nthree\n"), out = text_file(""), error = text_file("");

	(void)state;
	c->options.stdin_fd = in;
	c->options.stdout_fd = out;
	c->options.stderr_fd = error;
	run(c, "cat; echo oops >&2");
	assert_string_equal(gathered(out), "one\ntwo\nthree\n");
	assert_string_equal(gathered(error), "oops\n");
	assert_int_equal(c->outcome.stdout_bytes, 14);
	assert_int_equal(c->outcome.stderr_bytes, 5);
	assert_int_equal(c->events[ENGINE_OUTPUT], 0);
	close(in), close(out), close(error);
}

/* while read line; do coffer run …; done < file */
static void a_file_is_left_where_it_was_read_to(void **state)
{
	struct course *c = new_course();
	int in = text_file("one\ntwo\nthree\n");

	(void)state;
	c->options.stdin_fd = in;
	run(c, "true");
	assert_int_equal(lseek(in, 0, SEEK_CUR), 0);
	run(c, "read line; echo $line");
	assert_int_equal(lseek(in, 0, SEEK_CUR), 4);
	run(c, "head -c 1 >/dev/null; sleep 0.05");
	assert_true(lseek(in, 0, SEEK_CUR) > 4);
	close(in);

	/* Longer than the pipe. */
	char *big = arena_alloc(&arena, 3 << 20);

	memset(big, 'x', (3 << 20) - 1);
	in = text_file(big);
	run(c, "true");
	c->options.stdin_fd = in;
	run(c, "dd bs=1000 count=1 of=/dev/null 2>/dev/null");
	assert_int_equal(lseek(in, 0, SEEK_CUR), 1000);
	close(in);
}

static void appending(void **state)
{
	struct course *c = new_course();
	char path[] = "/tmp/coffer-unit-XXXXXX";
	int fd = mkostemp(path, O_APPEND | O_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, "first\n", 6), 6);
	c->options.stdout_fd = fd;
	run(c, "echo second");
	assert_string_equal(gathered(fd), "first\nsecond\n");
	unlink(path);
	close(fd);
}

/* 2>&1: one pipe, so that the order is kept. */
static void output_and_error_in_one(void **state)
{
	struct course *c = new_course();
	int out = text_file("");
	int error = dup(out);

	(void)state;
	c->options.stdout_fd = out;
	c->options.stderr_fd = error;
	run(c, "for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done");
	assert_string_equal(gathered(out), "o1\ne1\no2\ne2\no3\ne3\no4\ne4\no5\ne5\n");
	assert_int_equal(c->outcome.stdout_bytes, 30);
	assert_int_equal(c->outcome.stderr_bytes, 0);
	close(out), close(error);
}

static void null_is_null_inside(void **state)
{
	struct course *c = new_course();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	c->options.stdin_fd = c->options.stdout_fd = null;
	run(c, "for i in 0 1; do n=$(readlink /proc/$$/fd/$i); echo $n >&2; done");
	assert_string_equal(c->out[2], "/dev/null\n/dev/null\n");
	close(null);

	/* A descriptor that is not open is null as well; one that is -1 is the end on input. */
	c = new_course();
	c->options.stdout_fd = 1000;
	run(c, "for i in 0 1; do n=$(readlink /proc/$$/fd/$i); echo $n >&2; done; cat");
	assert_string_equal(c->out[2], "/dev/null\n/dev/null\n");
}

/* yes | head -1 */
static void a_reader_that_goes(void **state)
{
	struct course *c = new_course();
	char line[2];
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	c->options.stdout_fd = ends[1];

	pid_t reader = fork();

	if (reader == 0) {
		close(ends[1]);
		_exit(read(ends[0], line, 2) != 2);
	}
	close(ends[0]);
	run(c, "trap 'echo quiet >&2' EXIT; yes; echo $? >&2");
	assert_int_equal(c->outcome.cause, CAUSE_EXIT);
	assert_string_equal(c->out[2], "141\nquiet\n"); /* SIGPIPE */
	assert_false(c->outcome.stdout_truncated);
	close(ends[1]);
	waitpid(reader, NULL, 0);
}

/* The caller's input is not drained once nobody inside reads. */
static void a_writer_that_is_not_heard(void **state)
{
	struct course *c = new_course();
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	c->options.stdin_fd = ends[0];

	pid_t writer = fork();

	if (writer == 0) {
		close(ends[0]);
		execl("/bin/sh", "sh", "-c", "yes >&$0", arena_printf(&arena, "%d", dup(ends[1])), (char *)NULL);
		_exit(1);
	}
	close(ends[1]);
	run(c, "head -c 2; exec <&-; sleep 0.1");
	assert_string_equal(c->out[1], "y\n");
	close(ends[0]);
	waitpid(writer, NULL, 0);
}

enum { MANY = 32 << 20, PIECE = 12345 };

/* A byte that neither order nor loss leaves as it was. */
static unsigned char pattern(size_t at)
{
	return (unsigned char)(at ^ at >> 8 ^ at >> 16 ^ at >> 24);
}

static _Noreturn void write_pattern(int fd)
{
	static unsigned char bytes[PIECE];

	for (size_t at = 0, n; at < MANY; at += n) {
		n = MANY - at < PIECE ? MANY - at : PIECE;
		for (size_t i = 0; i < n; i++)
			bytes[i] = pattern(at + i);
		if (write(fd, bytes, n) != (ssize_t)n)
			_exit(1);
	}
	_exit(0);
}

static _Noreturn void check_pattern(int fd)
{
	static unsigned char bytes[PIECE];
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i] != pattern(at++))
				_exit(1);
	_exit(at == MANY ? 0 : 2);
}

static void many_bytes(void **state)
{
	struct course *c = new_course();
	int in[2], out[2], status;

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);

	pid_t writer = fork();

	if (writer == 0) {
		close(in[0]);
		close(out[0]);
		close(out[1]);
		write_pattern(in[1]);
	}

	pid_t reader = fork();

	if (reader == 0) {
		close(in[0]);
		close(in[1]);
		close(out[1]);
		check_pattern(out[0]);
	}
	close(in[1]);
	close(out[0]);
	c->options.stdin_fd = in[0];
	c->options.stdout_fd = out[1];
	run(c, "cat");
	close(in[0]);
	close(out[1]);
	waitpid(reader, &status, 0);
	assert_int_equal(status, 0);
	waitpid(writer, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(c->outcome.stdout_bytes, MANY);
}

/* A stream whose reader sleeps keeps neither the other nor the run waiting for long. */
static void a_slow_reader(void **state)
{
	struct course *c = new_course();
	int out[2];

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	c->options.stdout_fd = out[1];
	c->plan.wall_ms = 1000;
	run(c, "yes & sleep 0.05; for i in 1 2 3; do echo e$i >&2; done; sleep 100");
	assert_string_equal(c->out[2], "e1\ne2\ne3\n");
	assert_int_equal(c->outcome.cause, CAUSE_TIMEOUT);
	assert_true(c->outcome.stdout_truncated);
	assert_true(c->outcome.stdout_bytes >= 65536);

	/* One that ended by itself waits for it, as long as there is time. */
	c = new_course();
	c->options.stdout_fd = out[1];
	c->plan.wall_ms = 1500;
	run(c, "head -c 100000 /dev/zero & exit 3");
	assert_int_equal(c->outcome.cause, CAUSE_EXIT);
	assert_int_equal(c->outcome.exit_code, 3);
	close(out[0]);
	close(out[1]);
}

/* Of another descriptor's blocking mode nothing is changed, and none is needed. */
static void sockets(void **state)
{
	struct course *c = new_course();
	char text[64];
	int in[2], out[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out), 0);
	assert_int_equal(write(in[1], "hello\n", 6), 6);
	shutdown(in[1], SHUT_WR);
	c->options.stdin_fd = in[0];
	c->options.stdout_fd = out[0];
	run(c, "cat");
	assert_int_equal(read(out[1], text, sizeof(text)), 6);
	assert_memory_equal(text, "hello\n", 6);
	assert_int_equal(fcntl(out[0], F_GETFL) & O_NONBLOCK, 0);
	for (int i = 0; i < 2; i++)
		close(in[i]), close(out[i]);
}

static void a_full_device(void **state)
{
	struct course *c = new_course();
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	c->options.stdout_fd = full;
	run(c, "exec yes");
	assert_true(c->outcome.stdout_truncated);
	assert_int_equal(c->outcome.signal, SIGPIPE);
	close(full);
}

/* Somebody outside holds our pipe: we do not wait for him. */
static void a_holder_outside(void **state)
{
	struct course *c = new_course();
	uint64_t start = now_ms();

	(void)state;
	run(c, "setsid sleep 5 & sleep 0.2; echo done");
	assert_string_equal(c->out[1], "done\n");
	assert_int_equal(c->outcome.exit_code, 0);
	assert_true(now_ms() - start < 4000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(files),
		RUN_TEST(a_file_is_left_where_it_was_read_to),
		RUN_TEST(appending),
		RUN_TEST(output_and_error_in_one),
		RUN_TEST(null_is_null_inside),
		RUN_TEST(a_reader_that_goes),
		RUN_TEST(a_writer_that_is_not_heard),
		RUN_TEST(many_bytes),
		RUN_TEST(a_slow_reader),
		RUN_TEST(sockets),
		RUN_TEST(a_full_device),
		RUN_TEST(a_holder_outside),
	};

	(void)argc;
	fake_main(argv);
	return RUN_ALL(tests);
}
