/*
 * bpf_meaning.h: what syscalls.def means, written once more from its head comment and from bpf.h, in the kernel's own types and
 * without a look at how the filter is made. The tests hold the filter against this.
 */
#ifndef COFFER_TEST_BPF_MEANING_H
#define COFFER_TEST_BPF_MEANING_H

#include "compile/bpf.h"
#include "compile/bpf_number.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifdef __x86_64__
static const uint32_t native_arch = AUDIT_ARCH_X86_64;
#else
static const uint32_t native_arch = AUDIT_ARCH_AARCH64;
#endif

enum { MEANING_NUMBERS = 1024 };

static const uint32_t allowed = SECCOMP_RET_ALLOW;
static const uint32_t missing = SECCOMP_RET_ERRNO | ENOSYS;
static const uint32_t denied = SECCOMP_RET_ERRNO | EPERM;
static const uint32_t killed = SECCOMP_RET_KILL_PROCESS;
static const uint32_t asked = SECCOMP_RET_USER_NOTIF;

typedef uint32_t meaning(const struct bpf_request *q, const __u64 *arg);

static inline uint32_t mean_MISSING(const struct bpf_request *q, const __u64 *arg)
{
	(void)q, (void)arg;
	return missing;
}

static inline uint32_t mean_ALLOW(const struct bpf_request *q, const __u64 *arg)
{
	(void)q, (void)arg;
	return allowed;
}

static inline uint32_t mean_REFUSE(const struct bpf_request *q, const __u64 *arg)
{
	(void)arg;
	return q->notify ? asked : denied;
}

static inline uint32_t mean_allow_if(const struct bpf_request *q, bool fine)
{
	return fine ? allowed : mean_REFUSE(q, NULL);
}

static inline uint32_t mean_ask_if(const struct bpf_request *q, bool wanted)
{
	return q->notify && wanted ? asked : allowed;
}

static inline uint32_t mean_NAME(const struct bpf_request *q, const __u64 *arg)
{
	(void)arg;
	return mean_ask_if(q, q->tell_writes || q->act_names || q->act_opens);
}

static inline bool sets_id(__u64 mode)
{
	return (unsigned)mode & 06000;
}

static inline uint32_t mean_CHMOD(const struct bpf_request *q, const __u64 *arg)
{
	return sets_id(arg[1]) ? denied : mean_ask_if(q, q->tell_writes);
}

static inline uint32_t mean_FCHMODAT(const struct bpf_request *q, const __u64 *arg)
{
	return sets_id(arg[2]) ? denied : mean_ask_if(q, q->tell_writes);
}

static inline uint32_t mean_FCHMOD(const struct bpf_request *q, const __u64 *arg)
{
	(void)q;
	return sets_id(arg[1]) ? denied : allowed;
}

static inline uint32_t mean_open(const struct bpf_request *q, int flags, __u64 mode)
{
	bool creates = flags & O_CREAT;
	bool writes = flags & (O_WRONLY | O_RDWR | O_TRUNC) || creates;
	bool every = q->tell_reads || q->act_opens;

	if (sets_id(mode) && (creates || flags & (O_TMPFILE & ~O_DIRECTORY)))
		return denied;
	if (q->act_opens && flags & O_PATH)
		return allowed;
	return mean_ask_if(q, every || ((q->tell_writes || q->act_names) && writes));
}

static inline uint32_t mean_OPEN(const struct bpf_request *q, const __u64 *arg)
{
	return mean_open(q, (int)arg[1], arg[2]);
}

static inline uint32_t mean_OPENAT(const struct bpf_request *q, const __u64 *arg)
{
	return mean_open(q, (int)arg[2], arg[3]);
}

static inline uint32_t mean_CREAT(const struct bpf_request *q, const __u64 *arg)
{
	return mean_open(q, O_CREAT | O_WRONLY | O_TRUNC, arg[1]);
}

static inline uint32_t mean_node(const struct bpf_request *q, unsigned short mode)
{
	if (sets_id(mode))
		return denied;
	if (S_ISREG(mode) || S_ISFIFO(mode) || S_ISSOCK(mode) || !(mode & S_IFMT))
		return mean_NAME(q, NULL);
	return denied;
}

static inline uint32_t mean_MKNOD(const struct bpf_request *q, const __u64 *arg)
{
	return mean_node(q, (unsigned short)arg[1]);
}

static inline uint32_t mean_MKNODAT(const struct bpf_request *q, const __u64 *arg)
{
	return mean_node(q, (unsigned short)arg[2]);
}

static inline uint32_t mean_WRITE_PATH(const struct bpf_request *q, const __u64 *arg)
{
	(void)arg;
	return mean_ask_if(q, q->tell_writes);
}

static inline uint32_t mean_CONNECT(const struct bpf_request *q, const __u64 *arg)
{
	(void)arg;
	return mean_ask_if(q, q->tell_writes || q->act_sockets);
}

static inline uint32_t mean_SIGNAL(const struct bpf_request *q, const __u64 *arg)
{
	return mean_WRITE_PATH(q, arg);
}

static inline uint32_t mean_UMASK(const struct bpf_request *q, const __u64 *arg)
{
	(void)arg;
	return mean_ask_if(q, q->act_names || q->act_opens || q->act_sockets);
}

static inline uint32_t mean_BIND(const struct bpf_request *q, const __u64 *arg)
{
	return mean_UMASK(q, arg);
}

static inline uint32_t mean_SENDTO(const struct bpf_request *q, const __u64 *arg)
{
	return mean_ask_if(q, q->tell_writes && arg[4] != 0);
}

static inline uint32_t mean_PTRACE(const struct bpf_request *q, const __u64 *arg)
{
	(void)arg;
	return mean_allow_if(q, q->ptrace);
}

static inline uint32_t mean_USERNS(const struct bpf_request *q, const __u64 *arg)
{
	(void)arg;
	return mean_allow_if(q, q->nested_userns);
}

static inline uint32_t mean_IPC(const struct bpf_request *q, const __u64 *arg)
{
	(void)arg;
	return mean_allow_if(q, !q->host_ipc);
}

static inline bool plain_type(int type, int *ret_kind)
{
	*ret_kind = type & 0xf;
	return !(type & ~(0xf | SOCK_CLOEXEC | SOCK_NONBLOCK));
}

static inline uint32_t mean_SOCKET(const struct bpf_request *q, const __u64 *arg)
{
	int family = (int)arg[0], protocol = (int)arg[2], kind;
	bool fine = plain_type((int)arg[1], &kind);

	if (family == AF_INET || family == AF_INET6)
		fine = fine && q->inet && (kind == SOCK_STREAM || kind == SOCK_DGRAM) && (protocol == 0 || protocol == 6 || protocol == 17);
	else if (family == AF_UNIX)
		fine = fine && q->unix_sockets && (kind == SOCK_STREAM || kind == SOCK_DGRAM || kind == SOCK_SEQPACKET);
	else if (family == AF_NETLINK)
		fine = fine && (kind == SOCK_RAW || kind == SOCK_DGRAM) && protocol == 0;
	else
		fine = false;
	return mean_allow_if(q, fine);
}

static inline uint32_t mean_SOCKETPAIR(const struct bpf_request *q, const __u64 *arg)
{
	int kind;
	bool fine = plain_type((int)arg[1], &kind) && (int)arg[0] == AF_UNIX;
	bool pair = kind == SOCK_STREAM || kind == SOCK_SEQPACKET;

	return mean_allow_if(q, fine && (pair || (kind == SOCK_DGRAM && q->unix_sockets)));
}

static inline uint32_t mean_SETSOCKOPT(const struct bpf_request *q, const __u64 *arg)
{
	return mean_allow_if(q, (int)arg[1] != 6 || (int)arg[2] != 31);
}

static inline uint32_t mean_CLONE(const struct bpf_request *q, const __u64 *arg)
{
	unsigned spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

	return mean_allow_if(q, q->nested_userns || !((unsigned)arg[0] & spaces));
}

static inline uint32_t mean_IOCTL(const struct bpf_request *q, const __u64 *arg)
{
	unsigned number = (unsigned)arg[1];

	switch (number) {
	case 0x5412:     /* TIOCSTI */
	case 0x541c:     /* TIOCLINUX */
	case 0x541d:     /* TIOCCONS */
	case 0x5423:     /* TIOCSETD */
	case 0x40186f04: /* OCFS2_IOC_REFLINK */
	case 0x40086602: /* FS_IOC_SETFLAGS */
	case 0x401c5820: /* FS_IOC_FSSETXATTR */
		return mean_REFUSE(q, arg);
	case 0x40049409: /* FICLONE */
	case 0x4020940d: /* FICLONERANGE */
	case 0xc0189436: /* FIDEDUPERANGE */
		return allowed;
	default:
		break;
	}
	if (number >> 8 == 0x4b || number >> 8 == 0x56) /* the console's, as old as numbers without direction and size */
		return mean_REFUSE(q, arg);
	return mean_allow_if(q, (number >> 8 & 0xff) != 0x94 && (number >> 8 & 0xff) != 0xbc);
}

static inline uint32_t mean_PRCTL(const struct bpf_request *q, const __u64 *arg)
{
	int option = (int)arg[0];

	if (option == 35 /* PR_SET_MM */)
		return mean_REFUSE(q, arg);
	if (option == 0x59616d61 /* PR_SET_PTRACER */)
		return mean_allow_if(q, q->ptrace);
	if ((option >= 0 && option <= 78) || option == 0x53564d41 /* PR_SET_VMA */ || option == 0x41555856 /* PR_GET_AUXV */)
		return allowed;
	return SECCOMP_RET_ERRNO | EINVAL;
}

static inline uint32_t mean_PERSONALITY(const struct bpf_request *q, const __u64 *arg)
{
	unsigned persona = (unsigned)arg[0];
	bool fine = persona == 0 || persona == 8 || persona == 0x20000 || persona == 0x20008 || persona == 0xffffffff;

	return mean_allow_if(q, fine || (q->ptrace && persona == 0x40000));
}

static inline uint32_t mean_SECCOMP(const struct bpf_request *q, const __u64 *arg)
{
	return q->notify && (unsigned)arg[1] & 8 ? SECCOMP_RET_ERRNO | EBUSY : allowed;
}

/* Nothing is done, and success is told. */
static inline uint32_t mean_SETRLIMIT(const struct bpf_request *q, const __u64 *arg)
{
	(void)q;
	return (unsigned)arg[0] == RLIMIT_CORE ? SECCOMP_RET_ERRNO : SECCOMP_RET_ALLOW;
}

static inline uint32_t mean_PRLIMIT(const struct bpf_request *q, const __u64 *arg)
{
	if ((int)arg[0] == 0 && (unsigned)arg[1] == RLIMIT_CORE && arg[2])
		return SECCOMP_RET_ERRNO;
	return mean_allow_if(q, (int)arg[0] == 0 || arg[2] == 0);
}

static inline uint32_t mean_RULESET(const struct bpf_request *q, const __u64 *arg)
{
	(void)arg;
	return q->act_names || q->act_opens ? missing : SECCOMP_RET_ALLOW;
}

#endif
