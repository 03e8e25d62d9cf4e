#include "engine/engine.h"

#include "sys/file.h"
#include "unit/engine/fake.h"
#include "unit/unit.h"

#include <pthread.h>

static struct arena arena;
static char state_dir[64];

/* A run and what came of it. */
struct course {
	struct fake_plan plan;
	struct engine_run_options options;
	struct outcome outcome;
	struct err err;
	int r;
	unsigned events[ENGINE_EXITED + 1];
	enum outcome_cause limited;
	char out[3][1 << 16];
	size_t out_len[3];
};

static void take_event(void *context, const struct engine_event *event)
{
	struct course *c = context;

	c->events[event->type]++;
	if (event->type == ENGINE_LIMITED)
		c->limited = event->cause;
	if (event->type != ENGINE_OUTPUT)
		return;

	size_t room = sizeof(c->out[0]) - c->out_len[event->stream];
	size_t n = event->len < room ? event->len : room;

	memcpy(c->out[event->stream] + c->out_len[event->stream], event->bytes, n);
	c->out_len[event->stream] += n;
}

static struct course *new_course(void)
{
	struct course *c = arena_alloc(&arena, sizeof(*c));

	engine_run_options_init(&c->options);
	c->options.launcher = "/proc/self/exe";
	c->options.run_id = "unit0000test";
	c->options.state_dir = state_dir;
	c->options.on_event = take_event;
	c->options.context = c;
	return c;
}

static void run_words(struct course *c, const char *const *words)
{
	struct plan plan = fake_plan(&arena, &c->plan, words);

	c->r = engine_run(&plan, &c->options, &arena, &c->outcome, &c->err);
}

static void run(struct course *c, const char *script)
{
	run_words(c, (const char *const[]){ c->plan.terminal ? "tty" : "run", script, NULL });
	if (c->r < 0)
		fail_msg("%s", c->err.text);
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int fds_before;

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	fds_before = count_fds();
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_done(&arena);
	return count_fds() == fds_before ? 0 : -1;
}

/* ---- how it ends ---- */

static void exit_status(void **state)
{
	struct course *c = new_course();

	(void)state;
	run(c, "exit 7");
	assert_int_equal(c->outcome.exit_code, 7);
	assert_int_equal(c->outcome.cause, CAUSE_EXIT);
	assert_int_equal(c->events[ENGINE_STARTED], 1);
	assert_int_equal(c->events[ENGINE_EXITED], 1);
	assert_true(c->outcome.max_memory_bytes > 0);
	assert_true(c->outcome.duration_us > 0);
}

static void end_by_signal(void **state)
{
	struct course *c = new_course();

	(void)state;
	run(c, "kill -TERM $$");
	assert_int_equal(c->outcome.exit_code, 128 + SIGTERM);
	assert_int_equal(c->outcome.signal, SIGTERM);
	assert_int_equal(c->outcome.cause, CAUSE_SIGNAL);
	run(c, "kill -XFSZ $$");
	assert_int_equal(c->outcome.cause, CAUSE_FILE_SIZE);
	run(c, "kill -XCPU $$");
	assert_int_equal(c->outcome.cause, CAUSE_CPU);
}

static void a_step_fails(void **state)
{
	struct course *c = new_course();

	(void)state;
	run_words(c, (const char *const[]){ "fail", "2", "13", NULL });
	assert_int_equal(c->r, -EACCES);
	assert_int_equal(c->err.code, ERR_SETUP);
	assert_string_equal(c->err.where, "default");
	assert_non_null(strstr(c->err.text, "CAPS_DROP"));
	assert_non_null(strstr(c->err.text, strerror(EACCES)));

	run_words(c, (const char *const[]){ "fail", "1", "1", NULL });
	assert_int_equal(c->r, -EPERM);
	assert_int_equal(c->err.code, ERR_UNSUPPORTED);
	run_words(c, (const char *const[]){ "fail", "1", "12", NULL });
	assert_int_equal(c->err.code, ERR_SETUP);
	run_words(c, (const char *const[]){ "fail", "-1", "22", NULL });
	assert_int_equal(c->r, -EINVAL);
	assert_int_equal(c->err.code, ERR_INTERNAL);
}

static void a_command_that_cannot_be_executed(void **state)
{
	struct course *c = new_course();

	(void)state;
	run_words(c, (const char *const[]){ "fail", "7", "2", NULL });
	assert_int_equal(c->r, 0);
	assert_int_equal(c->outcome.exit_code, 127);
	assert_int_equal(c->outcome.cause, CAUSE_EXIT);
	assert_string_equal(c->err.text, "fail: not found");
	run_words(c, (const char *const[]){ "fail", "7", "13", NULL });
	assert_int_equal(c->r, 0);
	assert_int_equal(c->outcome.exit_code, 126);
	assert_string_equal(c->err.text, "fail: Permission denied");
}

static void a_launcher_that_says_nothing(void **state)
{
	struct course *c = new_course();

	(void)state;
	run_words(c, (const char *const[]){ "mute", NULL });
	assert_int_equal(c->r, -EPIPE);
	assert_int_equal(c->err.code, ERR_INTERNAL);
	run_words(c, (const char *const[]){ "crash", NULL });
	assert_int_equal(c->r, -EPIPE);
	assert_non_null(strstr(c->err.text, "signal 9"));
}

static void no_launcher(void **state)
{
	struct course *c = new_course();

	(void)state;
	c->options.launcher = "/does/not/exist";
	run_words(c, (const char *const[]){ "run", "true", NULL });
	assert_int_equal(c->r, -ENOENT);
	assert_int_equal(c->err.code, ERR_SETUP);
	c->options.launcher = NULL;
	run_words(c, (const char *const[]){ "run", "true", NULL });
	assert_true(c->r == -ENOENT || c->r == 0);
}

/* ---- ceilings ---- */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void wall_time(void **state)
{
	struct course *c = new_course();
	uint64_t start = now_ms();

	(void)state;
	c->plan.wall_ms = 500;
	run(c, "echo before; sleep 100 & sleep 100");
	assert_int_equal(c->outcome.exit_code, 124);
	assert_int_equal(c->outcome.cause, CAUSE_TIMEOUT);
	assert_int_equal(c->outcome.signal, SIGKILL);
	assert_int_equal(c->limited, CAUSE_TIMEOUT);
	assert_memory_equal(c->out[1], "before\n", 7);
	assert_in_range(now_ms() - start, 500, 3000);
	assert_in_range(c->outcome.duration_ms, 500, 3000);
}

static void wall_time_of_a_launcher_that_does_not_hear(void **state)
{
	struct course *c = new_course();

	(void)state;
	c->plan.wall_ms = 50;
	run_words(c, (const char *const[]){ "deaf", NULL });
	assert_int_equal(c->r, 0);
	assert_int_equal(c->outcome.cause, CAUSE_TIMEOUT);
}

static void output(void **state)
{
	struct course *c = new_course();

	(void)state;
	c->plan.output_bytes = 1000;
	run(c, "echo error >&2; yes");
	assert_int_equal(c->outcome.cause, CAUSE_OUTPUT);
	assert_int_equal(c->outcome.exit_code, 137);
	assert_int_equal(c->out_len[1], 1000);
	assert_memory_equal(c->out[1], "y\ny\ny\n", 6);
	assert_memory_equal(c->out[2], "error\n", 6);
	assert_int_equal(c->outcome.stdout_bytes, 1000);
	assert_true(c->outcome.stdout_truncated);
	assert_false(c->outcome.stderr_truncated);

	/* Exactly as much as is allowed is allowed. */
	c = new_course();
	c->plan.output_bytes = 1000;
	run(c, "head -c 1000 /dev/zero; head -c 1000 /dev/zero >&2");
	assert_int_equal(c->outcome.cause, CAUSE_EXIT);
	assert_int_equal(c->outcome.stdout_bytes, 1000);
	assert_int_equal(c->outcome.stderr_bytes, 1000);
	assert_false(c->outcome.stdout_truncated);
}

static void processor_time(void **state)
{
	struct course *c = new_course();

	(void)state;
	c->plan.cpu_ms = 200;
	c->plan.wall_ms = 20000;
	run(c, "(while :; do :; done) & while :; do :; done");
	assert_int_equal(c->outcome.cause, CAUSE_CPU);
	assert_int_equal(c->outcome.exit_code, 137);
	assert_in_range(c->outcome.cpu_user_us + c->outcome.cpu_system_us, 190000, 2000000);
}

static void cancelled(void **state)
{
	struct course *c = new_course();
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	c->options.cancel_fd = ends[0];
	if (fork() == 0) {
		usleep(50000);
		_exit(write(ends[1], "x", 1) != 1);
	}
	run(c, "sleep 100");
	assert_int_equal(c->outcome.cause, CAUSE_CANCELLED);
	assert_int_equal(c->outcome.exit_code, 137);
	assert_int_equal(c->events[ENGINE_LIMITED], 0);
	wait(NULL);
	close(ends[0]);
	close(ends[1]);
}

/* ---- streams ---- */

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
	assert_memory_equal(c->out[2], "/dev/null\n/dev/null\n", 20);
	close(null);

	/* A descriptor that is not open is null as well; one that is -1 is the end on input. */
	c = new_course();
	c->options.stdout_fd = 1000;
	run(c, "for i in 0 1; do n=$(readlink /proc/$$/fd/$i); echo $n >&2; done; cat");
	assert_memory_equal(c->out[2], "/dev/null\n/dev/null\n", 20);
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
	assert_memory_equal(c->out[2], "141\n", 4); /* SIGPIPE */
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
	assert_memory_equal(c->out[1], "y\n", 2);
	close(ends[0]);
	waitpid(writer, NULL, 0);
}

static void many_bytes(void **state)
{
	enum { MEGABYTES = 64 };
	struct course *c = new_course();
	char command[256];
	int in[2], out[2];

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	snprintf(command, sizeof(command), "seq 1 10000000 | head -c %d >&%d", MEGABYTES << 20, in[1]);

	pid_t writer = fork();

	if (writer == 0) {
		fcntl(in[1], F_SETFD, 0);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	snprintf(command, sizeof(command), "seq 1 10000000 | head -c %d | cmp - /proc/self/fd/%d && sleep 0.01", MEGABYTES << 20, out[0]);

	pid_t reader = fork();

	if (reader == 0) {
		close(out[1]);
		fcntl(out[0], F_SETFD, 0);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	close(in[1]);
	close(out[0]);
	c->options.stdin_fd = in[0];
	c->options.stdout_fd = out[1];
	run(c, "cat");
	close(in[0]);
	close(out[1]);

	int status;

	waitpid(reader, &status, 0);
	assert_int_equal(status, 0);
	waitpid(writer, NULL, 0);
	assert_int_equal(c->outcome.stdout_bytes, MEGABYTES << 20);
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
	assert_memory_equal(c->out[2], "e1\ne2\ne3\n", 9);
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
	assert_memory_equal(c->out[1], "done\n", 5);
	assert_int_equal(c->outcome.exit_code, 0);
	assert_true(now_ms() - start < 4000);
}

/* ---- terminals ---- */

struct pty {
	int master, slave;
};

static struct pty open_terminal(void)
{
	struct winsize size = { .ws_row = 41, .ws_col = 113 };
	struct pty pty;

	assert_int_equal(openpty(&pty.master, &pty.slave, NULL, NULL, &size), 0);
	fcntl(pty.master, F_SETFD, FD_CLOEXEC);
	fcntl(pty.slave, F_SETFD, FD_CLOEXEC);
	return pty;
}

static void a_terminal(void **state)
{
	struct course *c = new_course();
	struct pty pty = open_terminal();
	struct termios before, after;
	char text[4096] = "";
	ssize_t n;

	(void)state;
	tcgetattr(pty.slave, &before);
	c->plan.terminal = 7;
	c->options.stdin_fd = c->options.stdout_fd = c->options.stderr_fd = pty.slave;
	assert_int_equal(write(pty.master, "typed\n", 6), 6);
	run(c, "stty size; test -t 2 && echo terminal; read line; echo got $line; readlink /proc/self/fd/0");
	n = read(pty.master, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "41 113"));
	assert_non_null(strstr(text, "terminal"));
	assert_non_null(strstr(text, "got typed"));
	assert_null(strstr(text, ttyname(pty.slave)));
	tcgetattr(pty.slave, &after);
	assert_int_equal(before.c_iflag, after.c_iflag);
	assert_int_equal(before.c_oflag, after.c_oflag);
	assert_int_equal(before.c_lflag, after.c_lflag);
	assert_memory_equal(before.c_cc, after.c_cc, sizeof(before.c_cc));
	close(pty.master), close(pty.slave);
}

static void keys_make_signals_inside(void **state)
{
	struct course *c = new_course();
	struct pty pty = open_terminal();

	(void)state;
	c->plan.terminal = 7;
	c->options.stdin_fd = c->options.stdout_fd = c->options.stderr_fd = pty.slave;

	pid_t typist = fork();

	if (typist == 0) {
		usleep(300000);
		_exit(write(pty.master, "\003", 1) != 1);
	}
	run(c, "exec sleep 20");
	assert_int_equal(c->outcome.signal, SIGINT);
	waitpid(typist, NULL, 0);
	close(pty.master), close(pty.slave);
}

static void a_terminal_fed_from_a_pipe(void **state)
{
	struct course *c = new_course();
	int in[2];

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(write(in[1], "a\nb\n", 4), 4);
	close(in[1]);
	c->plan.terminal = 7;
	c->options.stdin_fd = in[0];
	run(c, "stty -echo; while read line; do echo got $line; done; echo end");
	assert_non_null(strstr(c->out[1], "got a\r\ngot b\r\nend\r\n"));
	close(in[0]);
}

/* ---- signals ---- */

static void signals_are_forwarded(void **state)
{
	struct course *c = new_course();
	sigset_t forward, before;

	(void)state;
	sigemptyset(&forward);
	sigaddset(&forward, SIGTERM);
	sigaddset(&forward, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &forward, &before);
	c->options.forward = &forward;

	pid_t us = getpid(), sender = fork();

	if (sender == 0) {
		usleep(300000);
		kill(us, SIGUSR1);
		usleep(100000);
		_exit(kill(us, SIGTERM));
	}
	run(c, "trap 'echo usr1' USR1; trap 'echo term; exit 5' TERM; while :; do sleep 0.02; done");
	assert_string_equal(c->out[1], "usr1\nterm\n");
	assert_int_equal(c->outcome.exit_code, 5);
	waitpid(sender, NULL, 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- denials ---- */

static void denials(void **state)
{
	struct course *c = new_course();

	(void)state;
	run_words(c, (const char *const[]){ "deny", "6", NULL });
	assert_int_equal(c->r, 0);

	const struct denial_vec *d = &c->outcome.denials;

	assert_int_equal(d->n, 8);
	assert_int_equal(c->events[ENGINE_DENIED], 8);
	assert_string_equal(d->at[0].process, "sh");
	assert_string_equal(d->at[0].operation, "open");
	assert_string_equal(d->at[0].target, "/path/0");
	assert_int_equal(d->at[0].errnum, EACCES);
	assert_int_equal(d->at[0].count, 2);
	assert_string_equal(d->at[0].rule, "default");
	assert_string_equal(d->at[1].operation, "create");
	assert_string_equal(d->at[1].rule, "/filesystem/denyWrite/0");
	assert_string_equal(d->at[2].rule, "--deny-read");
	assert_string_equal(d->at[6].operation, "socket");
	assert_string_equal(d->at[6].target, "AF_PACKET");
	assert_string_equal(d->at[7].operation, "syscall 9999");
	assert_string_equal(d->at[7].process, "no end");
	assert_string_equal(d->at[7].target, "");

	c = new_course();
	run_words(c, (const char *const[]){ "deny", "3000", NULL });
	assert_int_equal(c->outcome.denials.n, 1000);
	assert_int_equal(c->outcome.denials.at[999].count, 2);
	assert_int_equal(c->outcome.denials_dropped, 2 * 2000 + 2);
}

/* ---- hosts of many kinds ---- */

static void a_host_that_reaps_every_child(void **state)
{
	struct course *c = new_course();

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	run(c, "exit 4");
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(c->outcome.exit_code, 4);
}

static void a_host_without_streams(void **state)
{
	struct course *c = new_course();
	int saved[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100), close(i);
	run(c, "echo out; echo error >&2; cat");
	for (int i = 0; i < 3; i++)
		dup2(saved[i], i), close(saved[i]);
	assert_memory_equal(c->out[1], "out\n", 4);
	assert_memory_equal(c->out[2], "error\n", 6);
}

static void *run_many(void *result)
{
	struct arena own;
	int failed = 0;

	arena_init(&own, 16 << 20);
	for (int i = 0; i < 20; i++) {
		struct engine_run_options options;
		struct outcome outcome = { 0 };
		const struct fake_plan none = { 0 };
		struct plan plan = fake_plan(&own, &none, (const char *const[]){ "run", "exit 9", NULL });

		engine_run_options_init(&options);
		options.launcher = "/proc/self/exe";
		failed += engine_run(&plan, &options, &own, &outcome, NULL) != 0 || outcome.exit_code != 9;
	}
	arena_done(&own);
	*(int *)result = failed;
	return NULL;
}

static void threads(void **state)
{
	pthread_t thread[8];
	int failed[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, run_many, &failed[i]);
	for (int i = 0; i < 8; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(failed[i], 0);
	}
}

static int make_state(void **state)
{
	(void)state;
	snprintf(state_dir, sizeof(state_dir), "/tmp/coffer-unit-XXXXXX");
	return mkdtemp(state_dir) ? 0 : -1;
}

static int drop_state(void **state)
{
	(void)state;
	return file_remove_tree(AT_FDCWD, state_dir);
}

#define RUN_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(exit_status),
		RUN_TEST(end_by_signal),
		RUN_TEST(a_step_fails),
		RUN_TEST(a_command_that_cannot_be_executed),
		RUN_TEST(a_launcher_that_says_nothing),
		RUN_TEST(no_launcher),
		RUN_TEST(wall_time),
		RUN_TEST(wall_time_of_a_launcher_that_does_not_hear),
		RUN_TEST(output),
		RUN_TEST(processor_time),
		RUN_TEST(cancelled),
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
		RUN_TEST(a_terminal),
		RUN_TEST(keys_make_signals_inside),
		RUN_TEST(a_terminal_fed_from_a_pipe),
		RUN_TEST(signals_are_forwarded),
		RUN_TEST(denials),
		RUN_TEST(a_host_that_reaps_every_child),
		RUN_TEST(a_host_without_streams),
		RUN_TEST(threads),
	};

	(void)argc;
	fake_main(argv);
	return cmocka_run_group_tests(tests, make_state, drop_state);
}
