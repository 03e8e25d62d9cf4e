/*
 * without CALL[=ERROR]… -- CMD [ARG…]: runs CMD where these system calls fail, ENOSYS when nothing else is said: an old kernel, or a container engine's
 * filter. `userns` is how the latter refuse user namespaces: clone and unshare with CLONE_NEWUSER say EPERM, clone3 says ENOSYS. `nftables` is a kernel
 * without them: the launcher's sockets for it cannot be had.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PROGRAM_MAX = 256, OPENAT2 = 437, PIDFD_OPEN = 434, CLOSE_RANGE = 436, MOUNT_SETATTR = 442, LANDLOCK = 444 };

static const struct {
	const char *name;
	unsigned number;
} calls[] = {
	{ "open_tree", 428 },
	{ "move_mount", 429 },
	{ "mount_setattr", MOUNT_SETATTR },
	{ "landlock", LANDLOCK },
	{ "clone3", 435 },
	{ "openat2", OPENAT2 },
	{ "pidfd_open", PIDFD_OPEN },
	{ "close_range", CLOSE_RANGE },
	{ "statx", SYS_statx },
	{ "seccomp", SYS_seccomp },
	{ "mount", SYS_mount },
	{ "process_vm_readv", SYS_process_vm_readv },
	{ "keyctl", SYS_keyctl },
	{ "pidfd_send_signal", 424 },
	{ "memfd_create", SYS_memfd_create },
};

static const struct {
	const char *name;
	unsigned number;
} errors[] = { { "ENOSYS", ENOSYS }, { "EPERM", EPERM }, { "EOPNOTSUPP", EOPNOTSUPP }, { "EACCES", EACCES } };

static struct sock_filter program[PROGRAM_MAX];
static unsigned short len;

static void add(unsigned code, unsigned k, unsigned yes, unsigned no)
{
	program[len++] = (struct sock_filter){ (unsigned short)code, (unsigned char)yes, (unsigned char)no, k };
}

static void load(unsigned offset)
{
	add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void fail_call(unsigned number, unsigned error)
{
	add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
	add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error, 0, 0);
}

static void fail_flag(unsigned number, unsigned flag)
{
	add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
	load(offsetof(struct seccomp_data, args)); /* its lower half comes first */
	add(BPF_JMP | BPF_JSET | BPF_K, flag, 0, 1);
	add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
	load(offsetof(struct seccomp_data, nr));
}

/* socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER) */
static void fail_nftables(void)
{
	static const unsigned arguments[] = { AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER };

	add(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 7);
	for (unsigned i = 0; i < 3; i++) {
		load((unsigned)(offsetof(struct seccomp_data, args) + 8 * i));
		add(BPF_JMP | BPF_JEQ | BPF_K, arguments[i], 0, 5 - 2 * i);
	}
	add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT, 0, 0);
	load(offsetof(struct seccomp_data, nr));
}

static int take(const char *word)
{
	size_t n = strcspn(word, "=");
	unsigned error = word[n] ? 0 : ENOSYS;

	for (size_t i = 0; word[n] && i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(word + n + 1, errors[i].name) == 0)
			error = errors[i].number;
	if (strcmp(word, "userns") == 0) {
		fail_call(435, ENOSYS);
		fail_flag(SYS_clone, CLONE_NEWUSER);
		fail_flag(SYS_unshare, CLONE_NEWUSER);
		return 0;
	}
	if (strcmp(word, "nftables") == 0) {
		fail_nftables();
		return 0;
	}
	for (size_t i = 0; error && len < PROGRAM_MAX - 8 && i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strlen(calls[i].name) == n && memcmp(calls[i].name, word, n) == 0) {
			fail_call(calls[i].number, error);
			return 0;
		}
	fprintf(stderr, "without: %s?\n", word);
	return -1;
}

int main(int argc, char **argv)
{
	struct sock_fprog whole = { .filter = program };
	int at = 1;

	load(offsetof(struct seccomp_data, nr));
	for (; at < argc && strcmp(argv[at], "--") != 0; at++)
		if (take(argv[at]) < 0)
			return 125;
	add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	whole.len = len;
	if (at + 1 >= argc || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) < 0) {
		fprintf(stderr, "without: no filter: %s\n", strerror(errno));
		return 125;
	}
	execvp(argv[at + 1], argv + at + 1);
	fprintf(stderr, "without: %s: %s\n", argv[at + 1], strerror(errno));
	return 127;
}
