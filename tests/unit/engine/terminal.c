#include "engine/terminal.h"

#include "unit/engine/course.h"

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

/* What a terminal shows. It comes through a work queue of the kernel's, so it may be some time. */
static void read_screen(int master, char *ret_text, size_t room)
{
	struct pollfd screen = { .fd = master, .events = POLLIN };
	size_t len = 0;

	while (len + 1 < room && poll(&screen, 1, 300) > 0) {
		ssize_t n = read(master, ret_text + len, room - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	ret_text[len] = '\0';
}

static void a_terminal(void **state)
{
	struct course *c = new_course();
	struct pty pty = open_terminal();
	struct termios before, after;
	char text[4096];

	(void)state;
	tcgetattr(pty.slave, &before);
	c->plan.terminal = 7;
	c->options.stdin_fd = c->options.stdout_fd = c->options.stderr_fd = pty.slave;
	assert_int_equal(write(pty.master, "typed\n", 6), 6);
	run(c, "stty size; test -t 2 && echo terminal; read line; echo got $line; readlink /proc/self/fd/0");
	read_screen(pty.master, text, sizeof(text));
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_terminal),
		RUN_TEST(keys_make_signals_inside),
		RUN_TEST(a_terminal_fed_from_a_pipe),
	};

	(void)argc;
	fake_main(argv);
	return RUN_ALL(tests);
}
