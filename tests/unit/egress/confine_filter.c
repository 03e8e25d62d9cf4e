#include "egress/confine.h"

#include "unit/compile/bpf_machine.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#define NATIVE AUDIT_ARCH_RISCV64
#endif

static const struct sock_filter *program;
static size_t program_n;

static uint32_t verdict(uint32_t arch, long number, uint64_t a, uint64_t b, uint64_t c)
{
	const struct seccomp_data data = { .nr = (int)number, .arch = arch, .args = { a, b, c } };
	struct machine m = machine_run(program, program_n, &data);

	assert_false(m.broken);
	return m.verdict;
}

static bool allowed(long number, uint64_t a, uint64_t b, uint64_t c)
{
	/* The kernel takes 32 bits of each of these arguments. */
	const uint64_t high = 0xdeadbeef00000000;
	bool is = verdict(NATIVE, number, a, b, c) == SECCOMP_RET_ALLOW;

	assert_true(is == (verdict(NATIVE, number, a | high, b | high, c | high) == SECCOMP_RET_ALLOW));
	return is;
}

static int load(void **state)
{
	(void)state;
	const void *filter;
	size_t bytes = confine_filter(&filter);

	program = filter;
	program_n = bytes / sizeof(*program);
	return 0;
}

static void test_shape(void **state)
{
	(void)state;
	assert_true(machine_all_reached(program, program_n));
	assert_int_equal(verdict(NATIVE ^ 1, SYS_read, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
#ifdef __x86_64__
	assert_int_equal(verdict(AUDIT_ARCH_I386, 3, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(verdict(NATIVE, SYS_read | 0x40000000, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
#endif
}

/* What a filter that was taken over would like to do. */
static void test_calls(void **state)
{
	static const long never[] = {
		SYS_execve,
		SYS_execveat,
		SYS_ptrace,
		SYS_kill,
		SYS_tkill,
		SYS_tgkill,
		SYS_setuid,
		SYS_setresuid,
		SYS_unshare,
		SYS_setns,
		SYS_mount,
		SYS_listen,
		SYS_accept,
		SYS_ioctl,
		SYS_unlinkat,
		SYS_renameat,
		SYS_mkdirat,
		SYS_linkat,
		SYS_socketpair,
		SYS_bpf,
		SYS_memfd_create,
		SYS_keyctl,
		SYS_prlimit64,
		SYS_process_vm_readv,
		SYS_getdents64,
		SYS_readlinkat,
		SYS_rt_sigqueueinfo,
		SYS_openat2,
		SYS_io_uring_setup,
		SYS_pidfd_open,
		SYS_pidfd_send_signal,
		SYS_shmget,
		SYS_shmat,
		SYS_vmsplice,
		SYS_fchmodat,
		SYS_chdir,
		SYS_seccomp,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(never); i++)
		if (allowed(never[i], 0, 0, 0) || allowed(never[i], 1, 1, 1))
			fail_msg("%ld", never[i]);
	for (long number = 450; number < 2000; number++)
		if (allowed(number, 0, 0, 0))
			fail_msg("%ld", number);
}

static void test_sockets(void **state)
{
	static const struct {
		int family, type, protocol;
		bool allowed;
	} cases[] = {
		{ AF_INET, SOCK_STREAM, 0, true },
		{ AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, true },
		{ AF_INET6, SOCK_STREAM, IPPROTO_TCP, true },
		{ AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP, true },
		{ AF_INET, SOCK_DGRAM, 0, true },
		{ AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE, true },
		{ AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, false },
		{ AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT, false },
		{ AF_INET, SOCK_STREAM, IPPROTO_MPTCP, false },
		{ AF_INET, SOCK_STREAM, IPPROTO_SCTP, false },
		{ AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, false },
		{ AF_INET, SOCK_DGRAM, IPPROTO_ICMP, false },
		{ AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, false },
		{ AF_INET, SOCK_RAW, IPPROTO_TCP, false },
		{ AF_INET, SOCK_SEQPACKET, 0, false },
		{ AF_UNIX, SOCK_STREAM, 0, false },
		{ AF_UNIX, SOCK_DGRAM, 0, false },
		{ AF_VSOCK, SOCK_STREAM, 0, false },
		{ AF_PACKET, SOCK_RAW, 0, false },
		{ AF_ALG, SOCK_SEQPACKET, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (allowed(SYS_socket, cases[i].family, cases[i].type, cases[i].protocol) != cases[i].allowed)
			fail_msg("socket(%d, %d, %d)", cases[i].family, cases[i].type, cases[i].protocol);
}

static void test_options(void **state)
{
	static const struct {
		int level, name;
	} good[] = { { SOL_SOCKET, SO_LINGER },  { SOL_SOCKET, SO_KEEPALIVE },  { IPPROTO_TCP, TCP_NODELAY },
		     { IPPROTO_IP, IP_RECVERR }, { IPPROTO_IPV6, IPV6_V6ONLY }, { IPPROTO_IPV6, IPV6_RECVERR } };
	static const struct {
		int level, name;
	} bad[] = { { SOL_SOCKET, SO_ATTACH_FILTER },
		    { SOL_SOCKET, SO_ATTACH_BPF },
		    { SOL_SOCKET, SO_REUSEPORT },
		    { SOL_SOCKET, SO_MARK },
		    { IPPROTO_TCP, TCP_ULP },
		    { IPPROTO_TCP, TCP_REPAIR },
		    { IPPROTO_TCP, TCP_MD5SIG },
		    { IPPROTO_IP, 64 /* iptables */ },
		    { IPPROTO_IPV6, 64 },
		    { IPPROTO_UDP, 100 },
		    { 270, 1 },
		    { IPPROTO_RAW, 1 } };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(allowed(SYS_setsockopt, 7, (uint64_t)good[i].level, (uint64_t)good[i].name));
	for (size_t i = 0; i < COUNT(bad); i++)
		if (allowed(SYS_setsockopt, 7, (uint64_t)bad[i].level, (uint64_t)bad[i].name))
			fail_msg("%d %d", bad[i].level, bad[i].name);
}

static void test_arguments(void **state)
{
	(void)state;
	assert_true(allowed(SYS_fcntl, 7, F_GETFL, 0) && allowed(SYS_fcntl, 7, F_SETPIPE_SZ, 0) &&
	            allowed(SYS_fcntl, 7, F_DUPFD_CLOEXEC, 5));
	assert_false(allowed(SYS_fcntl, 7, F_SETOWN, 1) || allowed(SYS_fcntl, 7, F_SETSIG, 9) || allowed(SYS_fcntl, 7, F_SETOWN_EX, 0));
	assert_false(allowed(SYS_fcntl, 7, F_NOTIFY, 0) || allowed(SYS_fcntl, 7, F_SETLEASE, 0) || allowed(SYS_fcntl, 7, F_SETLK, 0));
	assert_true(allowed(SYS_openat, 0, 0, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	assert_false(allowed(SYS_openat, 0, 0, O_WRONLY) || allowed(SYS_openat, 0, 0, O_RDWR) || allowed(SYS_openat, 0, 0, O_TRUNC));
	assert_false(allowed(SYS_openat, 0, 0, O_CREAT) || allowed(SYS_openat, 0, 0, O_TMPFILE | O_RDWR));
	assert_true(allowed(SYS_mmap, 0, 0, PROT_READ | PROT_WRITE));
	assert_false(allowed(SYS_mmap, 0, 0, PROT_READ | PROT_EXEC) || allowed(SYS_mprotect, 0, 0, PROT_EXEC));
	assert_true(allowed(SYS_clone, SIGCHLD, 0, 0));
	assert_false(allowed(SYS_clone, 0x10000000 | SIGCHLD, 0, 0) || allowed(SYS_clone, 0x100 | SIGCHLD, 0, 0));
	assert_int_equal(verdict(NATIVE, 435, 0, 0, 0), SECCOMP_RET_ERRNO | ENOSYS); /* clone3 */
	assert_true(allowed(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0));
	assert_false(allowed(SYS_prctl, PR_SET_DUMPABLE, 1, 0) || allowed(SYS_prctl, PR_SET_PTRACER, 1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),   cmocka_unit_test(test_calls),     cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_options), cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
