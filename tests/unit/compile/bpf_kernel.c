/* The kernel's own verdict on the filters: it must load them, and answer as the table says. Each trial is a process of its own. */
#include "compile/bpf.h"
#include "compile/bpf_number.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

/* Loads the filter into this process. Returns 0, or the listener with the flag, or a negative errno. */
static int load(const void *program, size_t bytes, unsigned flags)
{
	struct sock_fprog fprog = { .len = (unsigned short)(bytes / sizeof(struct sock_filter)) };
	long r;

	memcpy(&fprog.filter, &program, sizeof(program));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog);
	return r < 0 ? -errno : (int)r;
}

static int load_request(const struct bpf_request *request, unsigned flags)
{
	struct arena arena;
	const void *program;
	size_t bytes;
	int r;

	arena_init(&arena, 1 << 20);
	r = bpf_build(&arena, request, &program, &bytes, NULL);
	if (r == 0)
		r = load(program, bytes, flags);
	arena_done(&arena);
	return r;
}

/* Runs trial in a child and returns its wait status. */
static int in_child(int (*trial)(void))
{
	struct rlimit no_core = { 0, 0 };
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
		setrlimit(RLIMIT_CORE, &no_core);
		_exit(trial());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_exits_with_0(int (*trial)(void))
{
	int status = in_child(trial);

	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("trial: wait status %#x (an exit status is the number of the case, from 1)", (unsigned)status);
}

enum { ANYTHING = -1 }; /* an answer of the call itself, whatever it is: neither EPERM nor ENOSYS */

struct attempt {
	int nr;
	long arg[6];
	int error; /* 0: success */
};

static const struct attempt attempts[] = {
	{ __NR_getpid, { 0 }, 0 },
	{ __NR_openat, { AT_FDCWD, (long)"/", O_RDONLY }, 0 },
	{ __NR_mkdirat, { AT_FDCWD, (long)"/proc/nowhere" }, ANYTHING },
	{ __NR_landlock_create_ruleset, { 0, 0, 1 }, ANYTHING },
	{ __NR_prctl, { PR_GET_NO_NEW_PRIVS }, 0 },
	{ __NR_prctl, { PR_SET_MM, PR_SET_MM_BRK }, EPERM },
	{ __NR_prctl, { 0x7fffffff }, EINVAL },
	{ __NR_socket, { AF_INET, SOCK_STREAM, 0 }, EPERM },
	{ __NR_socket, { AF_UNIX, SOCK_STREAM, 0 }, EPERM },
	{ __NR_socket, { 38 /* AF_ALG */, SOCK_SEQPACKET, 0 }, EPERM },
	{ __NR_socket, { AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0 }, 0 },
	{ __NR_socket, { AF_NETLINK, SOCK_RAW, 9 /* NETLINK_AUDIT */ }, EPERM },
	{ __NR_ioctl, { 0, 0x5412 /* TIOCSTI */, 0 }, EPERM },
	{ __NR_ioctl, { 0, 0x100005412, 0 }, EPERM },
	{ __NR_ioctl, { -1, 0x5401 /* TCGETS */, 0 }, EBADF },
	{ __NR_clone, { CLONE_NEWUSER | SIGCHLD }, EPERM },
	{ __NR_clone3, { 0 }, ENOSYS },
	{ __NR_unshare, { CLONE_NEWUSER }, EPERM },
	{ __NR_mount, { 0 }, EPERM },
	{ __NR_io_uring_setup, { 1 }, EPERM },
	{ __NR_bpf, { 0 }, EPERM },
	{ __NR_keyctl, { 0 }, EPERM },
	{ __NR_ptrace, { 0 }, EPERM },
	{ __NR_personality, { 0xffffffff }, ANYTHING },
	{ __NR_personality, { 0x40000 }, EPERM },
	{ __NR_mknodat, { AT_FDCWD, (long)"/proc/nowhere", S_IFCHR, 0x103 }, EPERM },
	{ __NR_prlimit64, { 0, RLIMIT_NOFILE, 0, 0 }, 0 },
	{ __NR_prlimit64, { 1, RLIMIT_NOFILE, 1, 0 }, EPERM },
	{ __NR_prlimit64, { 0, RLIMIT_CORE, 1, 0 }, 0 }, /* told to have worked: 1 is no address */
	{ __NR_setrlimit, { RLIMIT_CORE, 1 }, 0 },
	{ __NR_seccomp, { SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0 }, EFAULT },
	{ 400, { 0 }, ENOSYS },
	{ 470, { 0 }, ENOSYS },
	{ -1, { 0 }, ENOSYS },
};

static bool as_expected(const struct attempt *a)
{
	long r = syscall(a->nr, a->arg[0], a->arg[1], a->arg[2], a->arg[3], a->arg[4], a->arg[5]);

	if (a->error == ANYTHING)
		return r >= 0 || (errno != EPERM && errno != ENOSYS);
	return a->error ? r == -1 && errno == a->error : r >= 0;
}

static int try_all(void)
{
	struct bpf_request request = { .inet = false };

	if (load_request(&request, 0) < 0)
		return 255;
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		if (!as_expected(&attempts[i]))
			return (int)i + 1;
	}
	return 0;
}

static void test_answers(void **state)
{
	(void)state;
	assert_exits_with_0(try_all);
}

/* Every request's filter is one that the kernel takes. One process may carry some hundred of them. */

static unsigned first_bits;

static int load_some_filters(void)
{
	for (unsigned bits = first_bits; bits < first_bits + 64; bits++) {
		struct bpf_request request = {
			.notify = true,
			.tell_writes = bits & 1,
			.tell_reads = bits & 2,
			.act_names = bits & 4,
			.act_opens = bits & 8,
			.inet = bits & 16,
			.unix_sockets = bits & 32,
			.ptrace = bits & 64,
			.nested_userns = bits & 128,
			.act_sockets = bits % 3 == 0,
		};

		if (load_request(&request, 0) < 0)
			return (int)(bits - first_bits) + 1;
	}
	return 0;
}

static void test_loads(void **state)
{
	(void)state;
	for (first_bits = 0; first_bits < 256; first_bits += 64)
		assert_exits_with_0(load_some_filters);
}

/* Foreign calls end the process. */

#ifdef __x86_64__
static int call_x32(void)
{
	struct bpf_request request = { .inet = true };

	load_request(&request, 0);
	syscall(0x40000000 | __NR_getpid);
	return 1;
}

static int call_i386(void)
{
	struct bpf_request request = { .inet = true };
	long r = 20; /* getpid of i386 */

	load_request(&request, 0);
	__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
	return 1;
}

static void test_foreign_calls_kill(void **state)
{
	int status;

	(void)state;
	status = in_child(call_x32);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	/* SIGSEGV on kernels that do not know the gate at all. */
	status = in_child(call_i386);
	assert_true(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV));
}
#endif

/* A listener is asked about what is to be told and refused, and about nothing else. */

static int answer(int listener, int number, int error)
{
	struct seccomp_notif call;
	struct seccomp_notif_resp resp = { .error = -error };

	memset(&call, 0, sizeof(call));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return -errno;
	resp.id = call.id;
	resp.flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) < 0)
		return -errno;
	return call.data.nr == number ? 0 : -EPROTO;
}

static int asker(void)
{
	if (syscall(__NR_openat, AT_FDCWD, "/", O_RDONLY) < 0)
		return 1;
	if (syscall(__NR_openat, AT_FDCWD, "/dev/null", O_WRONLY) < 0)
		return 2;
	if (syscall(__NR_socket, 38, SOCK_SEQPACKET, 0) >= 0 || errno != EACCES)
		return 3;
	if (syscall(__NR_kill, getpid(), 0) < 0)
		return 4;
	return 0;
}

static int listen_to_asker(void)
{
	struct bpf_request request = { .notify = true, .tell_writes = true, .inet = true };
	int listener = load_request(&request, SECCOMP_FILTER_FLAG_NEW_LISTENER), status;
	pid_t pid;

	if (listener < 0)
		return 101;
	pid = fork();
	if (pid == 0)
		_exit(asker());
	if (answer(listener, __NR_openat, 0) < 0)
		return 102;
	if (answer(listener, __NR_socket, EACCES) < 0)
		return 103;
	if (answer(listener, __NR_kill, 0) < 0)
		return 104;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 105;
	return WEXITSTATUS(status);
}

static void test_listener(void **state)
{
	(void)state;
	assert_exits_with_0(listen_to_asker);
}

/* A second listener is refused while the first one lives, and after it died. Filters without one may be added. */
static int second_listener(void)
{
	static const struct sock_filter all = { .code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW };
	struct bpf_request request = { .notify = true, .inet = true };
	int listener = load_request(&request, SECCOMP_FILTER_FLAG_NEW_LISTENER);

	if (listener < 0)
		return 1;
	if (load(&all, sizeof(all), SECCOMP_FILTER_FLAG_NEW_LISTENER) != -EBUSY)
		return 2;
	close(listener);
	if (load(&all, sizeof(all), SECCOMP_FILTER_FLAG_NEW_LISTENER) != -EBUSY)
		return 3;
	return load(&all, sizeof(all), 0) == 0 ? 0 : 4;
}

static void test_second_listener(void **state)
{
	(void)state;
	assert_exits_with_0(second_listener);
}

/* Init's filter. */

static int init_works(void)
{
	struct arena arena;
	const void *program;
	size_t bytes;
	char byte;

	arena_init(&arena, 1 << 20);
	if (bpf_build_init(&arena, &program, &bytes, NULL) < 0 || load(program, bytes, 0) < 0)
		return 1;
	if (syscall(__NR_getpid) < 0 || syscall(__NR_read, -1, &byte, 1) >= 0 || errno != EBADF)
		return 2;
	syscall(__NR_exit_group, 0);
	return 3;
}

static int init_strays(void)
{
	struct arena arena;
	const void *program;
	size_t bytes;

	arena_init(&arena, 1 << 20);
	if (bpf_build_init(&arena, &program, &bytes, NULL) == 0 && load(program, bytes, 0) == 0)
		syscall(__NR_socket, AF_INET, SOCK_STREAM, 0);
	return 1;
}

static void test_init(void **state)
{
	int status;

	(void)state;
	assert_exits_with_0(init_works);
	status = in_child(init_strays);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_loads),
#ifdef __x86_64__
		cmocka_unit_test(test_foreign_calls_kill),
#endif
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_second_listener),
		cmocka_unit_test(test_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
