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

/* ---- job control: a process that is a shell's job in a terminal of ours ---- */

/* The process that the shell would be: the terminal is its controlling one, and it is in the foreground. */
static void become_shell(int slave)
{
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		_exit(90);
	signal(SIGTTOU, SIG_IGN);
}

/* A job of it, in a process group of its own. Its exit status is the script's. */
static pid_t start_job(int slave, unsigned terminal, const sigset_t *forward, const char *script)
{
	pid_t job = fork();

	setpgid(job, job); /* in both, so that it holds for whoever comes first */
	if (job != 0)
		return job;
	signal(SIGTTOU, SIG_DFL);

	struct course *c = new_course();

	c->plan.terminal = terminal;
	c->options.stdin_fd = slave;
	c->options.stdout_fd = c->options.stderr_fd = terminal ? slave : -1;
	c->options.forward = forward;
	run(c, script);
	_exit(c->outcome.exit_code);
}

static bool is_raw(int slave)
{
	struct termios modes;

	return tcgetattr(slave, &modes) == 0 && !(modes.c_lflag & ICANON);
}

static bool becomes_raw(int slave)
{
	for (int i = 0; i < 1000 && !is_raw(slave); i++)
		usleep(10000);
	return is_raw(slave);
}

static _Noreturn void a_shell_with_a_job_in_the_background(struct pty pty)
{
	int status;

	become_shell(pty.slave);

	/* One that does not read ends; the terminal's input is not its. */
	pid_t job = start_job(pty.slave, 0, NULL, "sleep 0.3; exit 3");

	if (waitpid(job, &status, WUNTRACED) != job || !WIFEXITED(status) || WEXITSTATUS(status) != 3)
		_exit(1);
	/* One that reads gets its line once it is in the foreground. */
	job = start_job(pty.slave, 0, NULL, "read line; test \"$line\" = typed");
	usleep(300000);
	tcsetpgrp(pty.slave, job);
	if (write(pty.master, "typed\n", 6) != 6 || waitpid(job, &status, WUNTRACED) != job || status != 0)
		_exit(2);
	/* One with a terminal of its own leaves the modes of ours alone until then. */
	tcsetpgrp(pty.slave, getpgrp());
	job = start_job(pty.slave, 7, NULL, "read line; test \"$line\" = typed");
	usleep(300000);
	if (is_raw(pty.slave))
		_exit(3);
	tcsetpgrp(pty.slave, job);
	if (!becomes_raw(pty.slave) || write(pty.master, "typed\r", 6) != 6 || waitpid(job, &status, WUNTRACED) != job || status != 0)
		_exit(4);
	_exit(is_raw(pty.slave) ? 5 : 0);
}

static void a_job_in_the_background(void **state)
{
	struct pty pty = open_terminal();
	pid_t shell = fork();
	int status;

	(void)state;
	if (shell == 0)
		a_shell_with_a_job_in_the_background(pty);
	assert_int_equal(waitpid(shell, &status, 0), shell);
	assert_int_equal(status, 0);
	close(pty.master), close(pty.slave);
}

static _Noreturn void a_shell_with_a_job_that_is_stopped(struct pty pty)
{
	sigset_t forward;
	int status;

	become_shell(pty.slave);
	sigemptyset(&forward);
	sigaddset(&forward, SIGTSTP);
	sigprocmask(SIG_BLOCK, &forward, NULL);

	pid_t job = start_job(pty.slave, 7, &forward, "read line; exit 7");

	tcsetpgrp(pty.slave, job);
	if (!becomes_raw(pty.slave))
		_exit(1);
	kill(job, SIGTSTP);
	if (waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status) || is_raw(pty.slave))
		_exit(2);
	kill(job, SIGCONT);
	if (!becomes_raw(pty.slave) || write(pty.master, "x\r", 2) != 2)
		_exit(3);
	if (waitpid(job, &status, WUNTRACED) != job || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
		_exit(4);
	_exit(is_raw(pty.slave) ? 5 : 0);
}

static void a_job_that_is_stopped(void **state)
{
	struct pty pty = open_terminal();
	pid_t shell = fork();
	int status;

	(void)state;
	if (shell == 0)
		a_shell_with_a_job_that_is_stopped(pty);
	assert_int_equal(waitpid(shell, &status, 0), shell);
	assert_int_equal(status, 0);
	close(pty.master), close(pty.slave);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_terminal),
		RUN_TEST(keys_make_signals_inside),
		RUN_TEST(a_terminal_fed_from_a_pipe),
		RUN_TEST(a_job_in_the_background),
		RUN_TEST(a_job_that_is_stopped),
	};

	(void)argc;
	fake_main(argv);
	return RUN_ALL(tests);
}
