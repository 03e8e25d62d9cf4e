#include "engine/terminal.h"

#include "base/own.h"
#include "sys/fd.h"

#include <errno.h>
#include <unistd.h>

static unsigned terminal_bits(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++)
		if (plan->op[i].code == OP_TERMINAL)
			return (unsigned)plan_number(&plan->op[i], 0);
	return 0;
}

void terminal_init(struct terminal *terminal, const struct plan *plan, const int stdio[3])
{
	*terminal = (struct terminal){ .serves = terminal_bits(plan), .caller = -1, .master = -1 };
	for (int i = 2; i >= 0; i--)
		if ((terminal->serves & 1U << i) && isatty(stdio[i]))
			terminal->caller = stdio[i];
	terminal->reads_keys = (terminal->serves & TERMINAL_INPUT) && terminal->caller >= 0 && terminal->caller == stdio[0];
}

void terminal_resize(const struct terminal *terminal)
{
	struct winsize size;

	if (terminal->caller >= 0 && terminal->master >= 0 && ioctl(terminal->caller, TIOCGWINSZ, &size) == 0)
		(void)ioctl(terminal->master, TIOCSWINSZ, &size);
	else if (terminal->caller < 0 && terminal->master >= 0 && terminal->size)
		(void)ioctl(terminal->master, TIOCSWINSZ, terminal->size);
}

int terminal_attach(struct terminal *terminal, int master)
{
	struct termios modes;

	terminal->master = master;
	terminal_resize(terminal);
	if (terminal->caller >= 0 && tcgetattr(terminal->caller, &modes) == 0)
		(void)tcsetattr(master, TCSANOW, &modes);
	return fd_set_nonblocking(master);
}

/* Changing a terminal from the background would change it under the program that has it. */
static bool is_in_foreground(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group < 0 || group == getpgrp(); /* -1: not our controlling terminal, so nobody's foreground concerns us */
}

bool terminal_make_raw(struct terminal *terminal)
{
	struct termios raw;

	if (!terminal->reads_keys || terminal->is_raw)
		return true;
	if (!is_in_foreground(terminal->caller))
		return false;
	if (tcgetattr(terminal->caller, &terminal->before) < 0)
		return true;
	raw = terminal->before;
	cfmakeraw(&raw);
	if (!(terminal->serves & TERMINAL_OUTPUT)) /* output comes from elsewhere too: keep its line ends */
		raw.c_oflag |= terminal->before.c_oflag & OPOST;
	terminal->is_raw = tcsetattr(terminal->caller, TCSANOW, &raw) == 0;
	return true;
}

void terminal_restore(struct terminal *terminal)
{
	if (terminal->is_raw)
		(void)tcsetattr(terminal->caller, TCSANOW, &terminal->before);
	terminal->is_raw = false;
}

void terminal_done(struct terminal *terminal)
{
	terminal_restore(terminal);
	own_close(&terminal->master);
}
