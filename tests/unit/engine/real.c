/* The engine with the launcher that is built beside this program, and plans as compile makes them. */
#include "engine/engine.h"

#include "sys/file.h"
#include "unit/launch/box.h"
#include "unit/unit.h"

#include <dirent.h>
#include <pty.h>
#include <sys/ioctl.h>

static char state_dir[64];
static const char *launcher;

/* A run and what came of it. */
struct course {
	struct box box;
	struct engine_run_options options;
	struct outcome outcome;
	struct err err;
	int r;
	char out[1 << 16];
	size_t len;
};

static void take_event(void *context, const struct engine_event *event)
{
	struct course *c = context;

	if (event->type != ENGINE_OUTPUT || event->len > sizeof(c->out) - 1 - c->len)
		return;
	memcpy(c->out + c->len, event->bytes, event->len);
	c->len += event->len;
}

static struct course *new_course(unsigned flags)
{
	struct course *c = calloc(1, sizeof(*c));

	if (access(launcher, X_OK) < 0)
		SKIP_BECAUSE("no launcher at %s", launcher);
	engine_run_options_init(&c->options);
	c->options.launcher = launcher;
	c->options.run_id = "unit0000real";
	c->options.state_dir = state_dir;
	c->options.on_event = take_event;
	c->options.context = c;
	box_begin(&c->box, flags);
	return c;
}

static void run(struct course *c)
{
	c->r = engine_run(&c->box.done, &c->options, &c->box.arena, &c->outcome, &c->err);
}

static void run_script(struct course *c, const char *script)
{
	box_end(&c->box, script);
	assert_true(box_build(&c->box));
	run(c);
	if (c->r < 0)
		fail_msg("%s", c->err.text);
}

static void drop(struct course *c)
{
	box_done(&c->box);
	free(c);
}

static void a_command(void **state)
{
	struct course *c = new_course(0);

	(void)state;
	run_script(c, "id -u; echo $$; exit 5");
	assert_string_equal(c->out, getuid() == 0 ? "1000\n2\n" : arena_printf(&c->box.arena, "%u\n2\n", (unsigned)getuid()));
	assert_int_equal(c->outcome.exit_code, 5);
	assert_int_equal(c->outcome.cause, CAUSE_EXIT);
	drop(c);
}

static void a_command_that_is_not_there(void **state)
{
	struct course *c = new_course(0);

	(void)state;
	box_end_argv(&c->box, (const char *const[]){ "/does/not/exist/either", NULL });
	assert_true(box_build(&c->box));
	run(c);
	assert_int_equal(c->r, 0);
	assert_int_equal(c->outcome.exit_code, 127);
	assert_string_equal(c->err.text, "/does/not/exist/either: No such file or directory");
	drop(c);
}

static void everything_dies_with_the_command(void **state)
{
	struct course *c = new_course(0);

	(void)state;
	run_script(c, "trap '' TERM HUP INT; setsid sleep 1000 & (sleep 1000 &) ; kill -9 $$");
	assert_int_equal(c->outcome.signal, SIGKILL);
	drop(c);
}

static void timeouts(void **state)
{
	struct course *c = new_course(BOX_BARE);

	(void)state;
	plan_add(&c->box.plan, OP_WATCH, "default", (uint64_t)200, UINT64_MAX, UINT64_MAX, (uint64_t)0);
	c->box.flags = 0;
	box_spawn(&c->box);
	box_new_root(&c->box);
	run_script(c, "trap '' TERM HUP INT; setsid sleep 1000 & while :; do sleep 1; done");
	assert_int_equal(c->outcome.cause, CAUSE_TIMEOUT);
	assert_int_equal(c->outcome.exit_code, 124);
	drop(c);
}

static void rung_two(void **state)
{
	struct course *c = new_course(BOX_RUNG2);

	(void)state;
	run_script(c, "setsid sleep 1000 & echo here; exit 6");
	assert_string_equal(c->out, "here\n");
	assert_int_equal(c->outcome.exit_code, 6);
	drop(c);
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
	struct course *c = new_course(BOX_TERMINAL);
	struct winsize size = { .ws_row = 33, .ws_col = 99 };
	char text[4096];
	int master, slave;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	c->options.stdin_fd = c->options.stdout_fd = c->options.stderr_fd = slave;
	assert_int_equal(write(master, "typed\n", 6), 6);
	run_script(c, "stty size; tty; read line; echo got $line");
	read_screen(master, text, sizeof(text));
	assert_non_null(strstr(text, "33 99\r\n/dev/pts/0\r\n"));
	assert_non_null(strstr(text, "got typed"));
	close(master);
	close(slave);
	drop(c);
}

/* ---- nothing remains ---- */

#ifdef COFFER_TORTURE
static int count_launchers(void)
{
	DIR *proc = opendir("/proc");
	int n = 0;

	for (const struct dirent *entry; (entry = readdir(proc));) {
		char path[300], name[32] = "", parent[64] = "";
		pid_t ppid = 0;

		snprintf(path, sizeof(path), "%s/comm", entry->d_name);
		if (file_read_at(dirfd(proc), path, name, sizeof(name)) <= 0 || strncmp(name, "coffer-launch", 13) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/stat", entry->d_name);
		if (file_read_at(dirfd(proc), path, parent, sizeof(parent)) == -EFBIG)
			sscanf(strchr(parent, ')') + 1, " %*c %d", &ppid);
		n += ppid == getpid();
	}
	closedir(proc);
	return n;
}
#endif

static void each_operation_fails_once(void **state)
{
#ifdef COFFER_TORTURE
	struct course *c = new_course(0);

	(void)state;
	box_end(&c->box, "true");
	assert_true(box_build(&c->box));
	for (uint32_t i = 0; i < c->box.done.head->op_count; i++) {
		const struct plan_op *op = &c->box.done.op[i];
		bool is_exec = op->code == OP_EXEC;

		c->options.torture_op = (int)i;
		err_clear(&c->err);
		run(c);
		if (c->r == 0 && !is_exec)
			SKIP_BECAUSE("the launcher is not built for torture");
		assert_int_equal(c->r, is_exec ? 0 : -EIO);
		if (!is_exec)
			assert_non_null(strstr(c->err.text, plan_op_info(op->code)->name));
		assert_int_equal(count_launchers(), 0);
	}
	drop(c);
#else
	(void)state;
	SKIP_BECAUSE("not a torture build");
#endif
}

static int find_launcher(void **state)
{
	(void)state;
	launcher = box_launcher();
	snprintf(state_dir, sizeof(state_dir), "/tmp/coffer-unit-XXXXXX");
	return mkdtemp(state_dir) ? 0 : -1;
}

static int forget(void **state)
{
	(void)state;
	return file_remove_tree(AT_FDCWD, state_dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command),
		cmocka_unit_test(a_command_that_is_not_there),
		cmocka_unit_test(everything_dies_with_the_command),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(rung_two),
		cmocka_unit_test(a_terminal),
		cmocka_unit_test(each_operation_fails_once),
	};

	return cmocka_run_group_tests(tests, find_launcher, forget);
}
