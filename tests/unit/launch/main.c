/* What the launcher is handed, and what it makes of it before the first deed. */
#include "unit/unit.h"

#include "sys/call.h"
#include "unit/launch/box.h"

#include <sys/socket.h>

/* Starts the launcher with these as 0 to 4 and takes its one message. */
static struct wire refuse(const int streams[3], int plan)
{
	struct wire message = { 0 };
	int pair[2], status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	(void)box_launcher();
	pid = fork();
	if (pid == 0) {
		int all[5] = { streams[0], streams[1], streams[2], plan, pair[1] };

		for (int i = 0; i < 5; i++)
			all[i] = all[i] < 0 ? -1 : fcntl(all[i], F_DUPFD, 50);
		for (int i = 0; i < 5; i++)
			all[i] < 0 ? close(i) : dup2(all[i], i);
		execl(box_launcher(), "coffer-launch", NULL);
		_exit(99);
	}
	close(pair[1]);
	assert_int_equal(read(pair[0], &message, sizeof(message)), sizeof(message));
	close(pair[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 1 << 8);
	assert_int_equal(message.type, WIRE_FAILED);
	return message;
}

static int memfd(const void *bytes, size_t n, int seals)
{
	int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static const int all_seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;

static void plans_that_can_change_are_refused(void **state)
{
	static const int seals[] = { 0, F_SEAL_WRITE, F_SEAL_WRITE | F_SEAL_SHRINK, F_SEAL_SHRINK | F_SEAL_GROW };
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC), streams[] = { null, null, null };
	static struct box box;

	(void)state;
	box_begin(&box, 0);
	box_end(&box, "true");
	assert_true(box_build(&box));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(refuse(streams, memfd(box.done.head, box.done.size, seals[i])).b, EPERM);
	assert_int_equal(refuse(streams, null).b, EPERM);
	box_done(&box);
}

static void plans_that_are_not_sane_are_refused(void **state)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC), streams[] = { null, null, null };
	static struct box box;
	struct wire message;
	struct plan_op *ops;
	char *copy;

	(void)state;
	assert_int_equal(refuse(streams, memfd("", 0, all_seals)).b, EINVAL);
	assert_int_equal(refuse(streams, memfd("no plan at all", 14, all_seals)).b, EINVAL);
	box_begin(&box, 0);
	box_end(&box, "true");
	assert_true(box_build(&box));
	assert_int_equal(refuse(streams, memfd(box.done.head, box.done.size - 1, all_seals)).b, EINVAL);
	copy = malloc(box.done.size);
	memcpy(copy, box.done.head, box.done.size);
	ops = (struct plan_op *)(void *)(copy + sizeof(struct plan_head));
	ops[3].code = OP_CODES_END;
	assert_int_equal(refuse(streams, memfd(copy, box.done.size, all_seals)).b, EINVAL);
	memcpy(copy, box.done.head, box.done.size);
	for (uint32_t i = 0; i < box.done.head->op_count; i++)
		if (ops[i].code == OP_NO_NEW_PRIVS)
			ops[i].code = OP_CAPS_DROP;
	message = refuse(streams, memfd(copy, box.done.size, all_seals));
	assert_int_equal(message.b, EBADMSG);
	assert_in_range(message.a, 1, box.done.head->op_count - 1);
	free(copy);
	box_done(&box);
}

/* A directory as a stream would be a way out. */
static void streams_that_lead_out_are_refused(void **state)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC), dir = open("/", O_RDONLY | O_CLOEXEC),
		  path = open("/etc/passwd", O_PATH | O_CLOEXEC);
	static struct box box;

	(void)state;
	box_begin(&box, 0);
	box_end(&box, "true");
	assert_true(box_build(&box));
	for (int i = 0; i < 3; i++) {
		int streams[] = { null, null, null }, plan = box_memfd(&box.done);

		streams[i] = dir;
		assert_int_equal(refuse(streams, plan).b, EISDIR);
		streams[i] = path;
		assert_int_equal(refuse(streams, plan).b, EISDIR);
		streams[i] = -1;
		assert_int_equal(refuse(streams, plan).b, EBADF);
		close(plan);
	}
	box_done(&box);
}

static void what_the_host_left_open_is_closed(void **state)
{
	static const int missing[] = { -1, SYS_close_range };
	int secret = open("/etc/passwd", O_RDONLY), high = fcntl(secret, F_DUPFD, 300); /* not close-on-exec */

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		static struct box box;

		box_begin(&box, 0);
		box_end(&box, "ls /proc/$$/fd");
		box.missing[0] = missing[i];
		box.missing_n = i;
		box.missing_errno = ENOSYS;
		box_run(&box);
		assert_string_equal(box.output, "0\n1\n2\n");
		box_done(&box);
	}
	close(secret);
	close(high);
}

/*
 * Init tells told calls from refused ones by their number, and the filter hands it both: what syscalls.def tells or acts on, init must know, and
 * nothing else.
 */
static void init_knows_the_calls_that_the_filter_tells(void **state)
{
	enum rule {
		ALLOW,
		REFUSE,
		MISSING,
		NAME,
		OPEN,
		OPENAT,
		CREAT,
		MKNOD,
		MKNODAT,
		WRITE_PATH,
		CONNECT,
		SENDTO,
		SIGNAL,
		BIND,
		UMASK,
		CHMOD,
		FCHMODAT,
		FCHMOD, /* from here on not told */
		PTRACE,
		USERNS,
		IPC,
		SOCKET,
		SOCKETPAIR,
		SETSOCKOPT,
		CLONE,
		IOCTL,
		PRCTL,
		PERSONALITY,
		SECCOMP,
		PRLIMIT,
		SETRLIMIT,
		RULESET,
		SCHEDULE,
		OTHER
	};
#include "compile/bpf_number.h"
	static const struct {
		int number;
		enum rule rule;
	} calls[] = {
#define CALL(name, rule, init, reason) { __NR_##name, rule },
#include "compile/syscalls.def"
#undef CALL
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		bool told = calls[i].rule >= NAME && calls[i].rule <= FCHMODAT;

		if (told != (call_find(calls[i].number) != NULL))
			fail_msg("system call %d", calls[i].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_that_can_change_are_refused),          cmocka_unit_test(plans_that_are_not_sane_are_refused),
		cmocka_unit_test(streams_that_lead_out_are_refused),          cmocka_unit_test(what_the_host_left_open_is_closed),
		cmocka_unit_test(init_knows_the_calls_that_the_filter_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
