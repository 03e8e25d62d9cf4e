/* What becomes of the processes: init, jail and warden together, for neither is anything without the others. */
#include "unit/unit.h"

#include "unit/launch/box.h"

static void run_script(struct box *box, unsigned flags, const char *script)
{
	box_begin(box, flags);
	box_end(box, script);
	box_run(box);
}

static void status_and_usage_come_back(void **state)
{
	static const struct {
		const char *script;
		int status;
	} cases[] = {
		{ "exit 0", 0 }, { "exit 7", 7 << 8 }, { "kill -9 $$", SIGKILL }, { "kill -TERM $$", SIGTERM }, { "kill -SEGV $$", SIGSEGV }
	};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct box box;

		run_script(&box, 0, cases[i].script);
		assert_int_equal(box.status, cases[i].status);
		assert_int_equal(box.launcher_status, 0);
		assert_true(box.exited.maxrss_kib > 0);
		box_done(&box);
	}
}

static void usage_counts_what_init_reaped(void **state)
{
	struct box box;

	(void)state;
	/* The work is done by a grandchild whose parent is gone. */
	run_script(&box, 0, "(sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo done' & ) ; sleep 1.5");
	assert_string_equal(box.output, "done\n");
	assert_true(box.exited.utime_us + box.exited.stime_us > 20000);
	box_done(&box);
}

static void exec_failures_name_exec(void **state)
{
	static const struct {
		const char *path;
		int errnum;
	} cases[] = { { "/no/such/program", ENOENT }, { "/etc/passwd", EACCES }, { "/tmp", EACCES }, { "/tmp/text", ENOEXEC } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const char *const argv[] = { cases[i].path, NULL };
		struct box box;

		box_begin(&box, 0);
		plan_add(&box.plan, OP_FILE, "test", "/tmp/text", (uint64_t)0755, "no program", (size_t)10);
		box_end_argv(&box, argv);
		box_run(&box);
		assert_int_equal(box.status, -1);
		assert_int_equal(box.failed_op, box.done.head->op_count - 1);
		assert_int_equal(box.failed_errno, cases[i].errnum);
		box_done(&box);
	}
}

static void the_command_has_what_the_plan_says_and_no_more(void **state)
{
	struct box box;

	(void)state;
	run_script(
	    &box, 0,
	    "tr '\\0' '\\n' </proc/$$/environ; ls /proc/$$/fd; umask; pwd; cat /proc/sys/kernel/hostname;"
	    "grep -E '^(Sig(Q|Ign|Blk)|Cap|NoNew|Seccomp:)' /proc/$$/status | grep -v SigQ; ulimit -n; ulimit -Hn; cat /proc/1/environ 2>&1 | wc -c");
	assert_string_equal(box.output,
	                    "PATH=/usr/bin:/bin\n0\n1\n2\n0022\n/tmp\nsandbox\n"
	                    "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
	                    "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
	                    "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n1024\n4096\n40\n");
	box_done(&box);
}

static void init_cannot_be_touched(void **state)
{
	struct box box;

	(void)state;
	run_script(&box, 0,
	           "for f in mem environ maps fd/4 exe cwd root io syscall; do cat /proc/1/$f >/dev/null 2>&1 && echo $f; done;"
	           "kill -9 1; kill -STOP 1; kill -TERM 1; kill -CHLD 1; kill -USR1 1; /bin/kill -KILL -- -1; echo not reached");
	assert_int_equal(box.status, SIGKILL); /* kill(-1) spares process 1, and who calls it, but not its parent */
	assert_string_equal(box.output, "");
	box_done(&box);
}

/* Everything below this process that the launcher left behind, and that has not ended. */
static bool anybody_left(const char *marker)
{
	char command[200];

	for (int i = 0; i < 50; i++) {
		snprintf(command, sizeof(command), "exec pgrep -f '%s' >/dev/null", marker);
		if (system(command) != 0)
			return false;
		usleep(20 * 1000);
	}
	return true;
}

static const char script_left[] =
    "(setsid sleep 31.4159 &); (trap '' TERM HUP INT; sleep 31.4159 & sleep 31.4159) & exec sh -c 'sleep 0.3; echo over'";

static void nothing_is_left_after_the_command(void **state)
{
	static const unsigned rungs[] = { 0, BOX_RUNG2 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct box box;

		run_script(&box, rungs[i], script_left);
		assert_string_equal(box.output, "over\n");
		assert_int_equal(box.status, 0);
		assert_false(anybody_left("sleep 31.4159"));
		box_done(&box);
	}
}

enum way { SOCKET_CLOSED, WARDEN_KILLED, INIT_KILLED, WAYS };

/* The first child of the launcher, as the host sees it. */
static pid_t find_init(pid_t warden)
{
	char path[64], list[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", warden, warden);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, list, sizeof(list) - 1) <= 0)
		return 0;
	close(fd);
	return (pid_t)strtol(list, NULL, 10);
}

static void end(struct box *box, enum way way)
{
	switch (way) {
	case SOCKET_CLOSED:
		shutdown(box->socket, SHUT_RDWR);
		close(box->socket);
		box->socket = open("/dev/null", O_RDONLY | O_CLOEXEC);
		break;
	case WARDEN_KILLED:
		kill(box->pid, SIGKILL);
		break;
	default:
		kill(find_init(box->pid), SIGKILL);
		break;
	}
}

static void nothing_is_left_whoever_dies_first(void **state)
{
	static const unsigned rungs[] = { 0, BOX_RUNG2 };

	(void)state;
	for (size_t i = 0; i < 2 * WAYS; i++) {
		struct box box;
		char ready[6] = "";

		box_begin(&box, rungs[i / WAYS]);
		box_end(&box, "(setsid sleep 27.1828 &); echo ready; sleep 27.1828");
		assert_true(box_build(&box));
		box_start(&box);
		assert_int_equal(read(box.out, ready, sizeof(ready)), 6);
		end(&box, (enum way)(i % WAYS));
		box_finish(&box);
		assert_int_equal(box.status, -1);
		assert_false(anybody_left("sleep 27.1828"));
		box_done(&box);
	}
}

static void signals_are_forwarded(void **state)
{
	const struct wire term = { .type = WIRE_SIGNAL, .a = SIGTERM }, bad = { .type = WIRE_SIGNAL, .a = 65 };
	char ready[6];
	struct box box;

	(void)state;
	box_begin(&box, 0);
	box_end(&box, "trap 'echo got it; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
	assert_true(box_build(&box));
	box_start(&box);
	assert_int_equal(read(box.out, ready, sizeof(ready)), 6);
	assert_int_equal(send(box.socket, &bad, sizeof(bad), 0), sizeof(bad));
	assert_int_equal(send(box.socket, "x", 1, 0), 1);
	assert_int_equal(send(box.socket, &term, sizeof(term), 0), sizeof(term));
	box_finish(&box);
	assert_int_equal(box.status, 3 << 8);
	assert_string_equal(box.output, "got it\n");
	box_done(&box);
}

static void a_terminal_is_the_sandbox_s_own(void **state)
{
	struct box box;

	(void)state;
	run_script(&box, BOX_TERMINAL, "tty; ps -o pid=,sid=,tpgid=,tty= -p $$; echo here >/dev/tty; ls /dev/pts");
	assert_string_equal(box.output, "/dev/pts/0\r\n      2       2       2 pts/0\r\nhere\r\n0  ptmx\r\n");
	assert_int_equal(box.status, 0);
	box_done(&box);
}

static void streams_end_with_their_users(void **state)
{
	struct box box;
	char byte;

	(void)state;
	box_begin(&box, 0);
	box_end(&box, "exec >&- 2>&-; sleep 1");
	assert_true(box_build(&box));
	box_start(&box);
	assert_int_equal(read(box.out, &byte, 1), 0); /* init and warden do not hold them open */
	assert_int_equal(waitpid(box.pid, NULL, WNOHANG), 0);
	box_finish(&box);
	box_done(&box);
}

static void streams_can_be_opened_again(void **state)
{
	static const unsigned rungs[] = { 0, BOX_RUNG2 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct box box;

		run_script(&box, rungs[i], "echo out >/proc/self/fd/1; echo err >/proc/self/fd/2");
		assert_string_equal(box.output, "out\nerr\n");
		box_done(&box);
	}
}

static void rung_two_sheds_as_well(void **state)
{
	struct box box;

	(void)state;
	run_script(&box, BOX_RUNG2, "id -u; grep -E '^(CapPrm|CapEff|NoNew|Seccomp:)' /proc/self/status; id -G | wc -w");
	assert_non_null(strstr(box.output, "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n1\n"));
	if (getuid() == 0)
		assert_memory_equal(box.output, "2081362484\n", 11);
	box_done(&box);
}

static void an_ordinary_user_gets_the_same(void **state)
{
	struct box box;

	(void)state;
	box_begin_as_user(&box, 0);
	box_end(&box, "id -u; touch /tmp/x && stat -c %u /tmp/x; grep -E '^(CapBnd|NoNew)' /proc/self/status; exit 9");
	box_run(&box);
	if (getuid() == 0)
		assert_string_equal(box.output, "65534\n65534\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n");
	assert_int_equal(box.status, 9 << 8);
	box_done(&box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_and_usage_come_back),
		cmocka_unit_test(usage_counts_what_init_reaped),
		cmocka_unit_test(exec_failures_name_exec),
		cmocka_unit_test(the_command_has_what_the_plan_says_and_no_more),
		cmocka_unit_test(init_cannot_be_touched),
		cmocka_unit_test(nothing_is_left_after_the_command),
		cmocka_unit_test(nothing_is_left_whoever_dies_first),
		cmocka_unit_test(signals_are_forwarded),
		cmocka_unit_test(a_terminal_is_the_sandbox_s_own),
		cmocka_unit_test(streams_end_with_their_users),
		cmocka_unit_test(streams_can_be_opened_again),
		cmocka_unit_test(rung_two_sheds_as_well),
		cmocka_unit_test(an_ordinary_user_gets_the_same),
	};

	/* What a shell leaves out for those in the background, the command would be left as well: these tests start the launcher by themselves. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
