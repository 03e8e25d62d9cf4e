/*
 * Theory of operation. A rule looks at no more than its call's arguments. Where the kernel takes an argument as an int or an
 * unsigned, it drops the register's upper half, so a rule compares the lower word alone: with the upper one in the
 * comparison, a caller could set a bit there and slip past (CVE-2019-10063). Pointers are compared whole.
 */
#include "compile/bpf_rules.h"

#include "base/own.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct rules {
	struct bpf_code *code;
	const struct bpf_request *request;
	unsigned allow, missing;
	unsigned deny; /* EPERM, and nobody hears of it */
	unsigned ask;  /* init decides; without a listener the same as deny */
	bool tell_writes, tell_reads;
	bool acts; /* init makes some calls itself */
};

struct span {
	uint32_t first, last;
};

static size_t low(unsigned argument)
{
	return offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);
}

static size_t high(unsigned argument)
{
	return low(argument) + sizeof(uint32_t);
}

static unsigned one_of(struct bpf_code *code, const uint32_t *values, size_t n, unsigned yes, unsigned no)
{
	while (n--)
		no = bpf_if(code, BPF_JEQ, values[n], yes, no);
	return no;
}

static unsigned within(struct bpf_code *code, struct span span, unsigned yes, unsigned no)
{
	if (span.first == span.last)
		return bpf_if(code, BPF_JEQ, span.first, yes, no);
	return bpf_if(code, BPF_JGE, span.first, bpf_if(code, BPF_JGT, span.last, no, yes), no);
}

static unsigned null_pointer(struct bpf_code *code, unsigned argument, unsigned yes, unsigned no)
{
	unsigned upper = bpf_load(code, high(argument), bpf_if(code, BPF_JEQ, 0, yes, no));

	return bpf_load(code, low(argument), bpf_if(code, BPF_JEQ, 0, upper, no));
}

/* Files. */

static unsigned rule_name(struct rules *r)
{
	return r->tell_writes || r->request->act_names || r->request->act_opens ? r->ask : r->allow;
}

/*
 * No file gets a set-id bit: in a tree that the sandbox shares with its caller it would lend the caller's identity, root's even, to whoever
 * runs it on the host. Not told: init hears of these calls for other reasons.
 */
static unsigned set_id(struct rules *r, unsigned argument, unsigned otherwise)
{
	return bpf_load(r->code, low(argument), bpf_if(r->code, BPF_JSET, S_ISUID | S_ISGID, r->deny, otherwise));
}

static unsigned rule_creat(struct rules *r)
{
	return set_id(r, 1, r->tell_reads ? r->ask : rule_name(r));
}

/*
 * What O_PATH opens cannot be read, and where it is opened once more init asks for its name; nor could init hand it over, for the kernel takes
 * no such descriptor. O_CREAT and O_TRUNC say nothing beside it.
 */
static unsigned open_intent(struct rules *r, unsigned argument)
{
	uint32_t asked = 0;

	if (r->request->act_opens)
		return bpf_load(r->code, low(argument), bpf_if(r->code, BPF_JSET, O_PATH, r->allow, r->ask));
	if (r->tell_reads)
		return r->ask;
	if (r->tell_writes || r->request->act_names)
		asked = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC; /* not O_ACCMODE: that is wider in musl */
	if (!asked)
		return r->allow;
	return bpf_load(r->code, low(argument), bpf_if(r->code, BPF_JSET, asked, r->ask, r->allow));
}

/* The flags are in this argument, the mode in the next one, where it matters only if a file may be made. */
static unsigned open_flags(struct rules *r, unsigned argument)
{
	enum { TMPFILE = 020000000 /* O_TMPFILE without O_DIRECTORY */ };
	unsigned decided = open_intent(r, argument);

	return bpf_load(r->code, low(argument), bpf_if(r->code, BPF_JSET, O_CREAT | TMPFILE, set_id(r, argument + 1, decided), decided));
}

static unsigned rule_open(struct rules *r)
{
	return open_flags(r, 1);
}

static unsigned rule_openat(struct rules *r)
{
	return open_flags(r, 2);
}

/* A device is denied here, not by init: what reaches init is a name to make, or to tell. */
static unsigned node_type(struct rules *r, unsigned argument)
{
	static const uint32_t types[] = { 0, S_IFREG, S_IFIFO, S_IFSOCK };
	unsigned known = one_of(r->code, types, ARRAY_LEN(types), rule_name(r), r->deny);

	return set_id(r, argument, bpf_load(r->code, low(argument), bpf_mask(r->code, S_IFMT, known)));
}

static unsigned rule_mknod(struct rules *r)
{
	return node_type(r, 1);
}

static unsigned rule_mknodat(struct rules *r)
{
	return node_type(r, 2);
}

static unsigned rule_told(struct rules *r)
{
	return r->tell_writes ? r->ask : r->allow;
}

/* A local socket's name is in memory, so init makes every bind; and who makes names for another needs to know the other's umask. */
static unsigned rule_acted(struct rules *r)
{
	return r->acts ? r->ask : r->allow;
}

static unsigned rule_connect(struct rules *r)
{
	return r->request->act_sockets ? r->ask : rule_told(r);
}

static unsigned rule_chmod(struct rules *r)
{
	return set_id(r, 1, rule_told(r));
}

static unsigned rule_fchmod(struct rules *r)
{
	return set_id(r, 1, r->allow);
}

static unsigned rule_fchmodat(struct rules *r)
{
	return set_id(r, 2, rule_told(r));
}

/* Numbers that act where mounts and terminals do not hold; all others work on what the descriptor already gives. */
static unsigned rule_ioctl(struct rules *r)
{
	static const struct span refused[] = {
		{ TIOCSTI, TIOCSTI },                 /* types into the terminal */
		{ TIOCLINUX, TIOCCONS },              /* pastes into the console; takes its output */
		{ TIOCSETD, TIOCSETD },               /* line disciplines: loads old drivers */
		{ 0x4b00, 0x4bff },                   /* linux/kd.h: keyboard maps, fonts, ports */
		{ 0x5600, 0x56ff },                   /* linux/vt.h: console switching */
		{ 0x40186f04, 0x40186f04 },           /* OCFS2_IOC_REFLINK: makes a name */
		{ FS_IOC_SETFLAGS, FS_IOC_SETFLAGS }, /* a directory that folds case would have protected names in other spellings */
		{ FS_IOC_FSSETXATTR, FS_IOC_FSSETXATTR },
	};
	/* Three numbers of btrfs became everybody's; the others make and show subvolumes, hidden files included, past the mounts. */
	static const uint32_t copies[] = { FICLONE, FICLONERANGE, FIDEDUPERANGE };
	enum { TYPE = 0xff00, BTRFS = 0x9400, BCACHEFS = 0xbc00 };
	unsigned next = bpf_if(r->code, BPF_JEQ, BTRFS, r->ask, bpf_if(r->code, BPF_JEQ, BCACHEFS, r->ask, r->allow));

	next = one_of(r->code, copies, ARRAY_LEN(copies), r->allow, bpf_mask(r->code, TYPE, next));
	for (size_t i = ARRAY_LEN(refused); i--;)
		next = within(r->code, refused[i], r->ask, next);
	return bpf_load(r->code, low(1), next);
}

/* Sockets. */

static unsigned socket_type(struct rules *r, const uint32_t *types, size_t n, unsigned yes)
{
	unsigned known = one_of(r->code, types, n, yes, r->ask);

	return bpf_load(r->code, low(1), bpf_mask(r->code, ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), known));
}

static unsigned inet_socket(struct rules *r)
{
	static const uint32_t types[] = { SOCK_STREAM, SOCK_DGRAM };
	static const uint32_t protocols[] = { IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP };
	unsigned known = one_of(r->code, protocols, ARRAY_LEN(protocols), r->allow, r->ask);

	return socket_type(r, types, ARRAY_LEN(types), bpf_load(r->code, low(2), known));
}

/* NETLINK_ROUTE, which getaddrinfo and getifaddrs ask; changing anything needs a capability. */
static unsigned netlink_socket(struct rules *r)
{
	static const uint32_t types[] = { SOCK_RAW, SOCK_DGRAM };
	unsigned route = bpf_load(r->code, low(2), bpf_if(r->code, BPF_JEQ, 0, r->allow, r->ask));

	return socket_type(r, types, ARRAY_LEN(types), route);
}

static unsigned unix_socket(struct rules *r)
{
	static const uint32_t types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

	return socket_type(r, types, ARRAY_LEN(types), r->allow);
}

static unsigned rule_socket(struct rules *r)
{
	unsigned next = bpf_if(r->code, BPF_JEQ, AF_NETLINK, netlink_socket(r), r->ask);

	if (r->request->unix_sockets)
		next = bpf_if(r->code, BPF_JEQ, AF_UNIX, unix_socket(r), next);
	if (r->request->inet) {
		static const uint32_t families[] = { AF_INET, AF_INET6 };

		next = one_of(r->code, families, ARRAY_LEN(families), inet_socket(r), next);
	}
	return bpf_load(r->code, low(0), next);
}

/* A datagram pair can still be connected elsewhere, so it counts as a unix socket of its own. */
static unsigned rule_socketpair(struct rules *r)
{
	static const uint32_t types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	unsigned typed = socket_type(r, types, r->request->unix_sockets ? 3 : 2, r->allow);

	return bpf_load(r->code, low(0), bpf_if(r->code, BPF_JEQ, AF_UNIX, typed, r->ask));
}

static unsigned rule_setsockopt(struct rules *r)
{
	enum { TCP_ULP = 31 /* linux/tcp.h */ };
	unsigned name = bpf_load(r->code, low(2), bpf_if(r->code, BPF_JEQ, TCP_ULP, r->ask, r->allow));

	return bpf_load(r->code, low(1), bpf_if(r->code, BPF_JEQ, IPPROTO_TCP, name, r->allow));
}

static unsigned rule_sendto(struct rules *r)
{
	return r->tell_writes ? null_pointer(r->code, 4, r->allow, r->ask) : r->allow;
}

/* Processes. */

static unsigned rule_clone(struct rules *r)
{
	/* CLONE_NEWTIME shares its bit with the exit signal, and exists for clone3 and unshare only. */
	enum { CLONE_NEW = 0x7e020000 };

	if (r->request->nested_userns)
		return r->allow;
	return bpf_load(r->code, low(0), bpf_if(r->code, BPF_JSET, CLONE_NEW, r->ask, r->allow));
}

static unsigned rule_prctl(struct rules *r)
{
	enum { LAST = 78 /* PR_FUTEX_HASH, Linux 6.18 */, SET_VMA = 0x53564d41, GET_AUXV = 0x41555856 };
	static const uint32_t named[] = { SET_VMA, GET_AUXV };
	unsigned next = bpf_return(r->code, SECCOMP_RET_ERRNO | EINVAL);

	next = one_of(r->code, named, ARRAY_LEN(named), r->allow, next);
	next = bpf_if(r->code, BPF_JGT, LAST, next, r->allow);
	next = bpf_if(r->code, BPF_JEQ, PR_SET_PTRACER, r->request->ptrace ? r->allow : r->ask, next);
	next = bpf_if(r->code, BPF_JEQ, PR_SET_MM, r->ask, next);
	return bpf_load(r->code, low(0), next);
}

static unsigned rule_personality(struct rules *r)
{
	/* linux/personality.h: PER_LINUX, PER_LINUX32, each with UNAME26; the question; ADDR_NO_RANDOMIZE, for debuggers. */
	static const uint32_t known[] = { 0, 8, 0x20000, 0x20008, 0xffffffff, 0x40000 };
	unsigned next = one_of(r->code, known, r->request->ptrace ? 6 : 5, r->allow, r->ask);

	return bpf_load(r->code, low(0), next);
}

/*
 * The kernel refuses a second listener while the first one lives. Should init die and take its listener along (rung two), a
 * filter with a new one could answer in its place: so the refusal is ours as well.
 */
static unsigned rule_seccomp(struct rules *r)
{
	unsigned busy;

	if (!r->request->notify)
		return r->allow;
	busy = bpf_return(r->code, SECCOMP_RET_ERRNO | EBUSY);
	return bpf_load(r->code, low(1), bpf_if(r->code, BPF_JSET, SECCOMP_FILTER_FLAG_NEW_LISTENER, busy, r->allow));
}

/*
 * The limit of core files is 1 byte, for a reason (limits.c), and stays so, and so does the one that is a tag. Programs that set them are told that they did.
 */
static unsigned kept_limits(struct rules *r, unsigned argument, unsigned kept, unsigned otherwise)
{
	static const uint32_t limits[] = { RLIMIT_CORE, RLIMIT_RTTIME };

	return bpf_load(r->code, low(argument), one_of(r->code, limits, r->request->tagged ? 2 : 1, kept, otherwise));
}

static unsigned rule_setrlimit(struct rules *r)
{
	return kept_limits(r, 0, bpf_return(r->code, SECCOMP_RET_ERRNO), r->allow);
}

static unsigned rule_prlimit(struct rules *r)
{
	unsigned other = null_pointer(r->code, 2, r->allow, r->ask);
	unsigned own = kept_limits(r, 1, null_pointer(r->code, 2, r->allow, bpf_return(r->code, SECCOMP_RET_ERRNO)), r->allow);

	return bpf_load(r->code, low(0), bpf_if(r->code, BPF_JEQ, 0, own, other));
}

/* Init makes names for its callers, and no domain that one of them has entered since holds init: rather no Landlock than one that leaks. */
static unsigned rule_ruleset(struct rules *r)
{
	return r->request->act_names || r->request->act_opens ? r->missing : r->allow; /* sockets alone: docs/decisions/unix-sockets.md */
}

static unsigned rule_ptrace(struct rules *r)
{
	return r->request->ptrace ? r->allow : r->ask;
}

static unsigned rule_userns(struct rules *r)
{
	return r->request->nested_userns ? r->allow : r->ask;
}

static unsigned rule_ipc(struct rules *r)
{
	return r->request->host_ipc ? r->ask : r->allow;
}

static unsigned rule_allow(struct rules *r)
{
	return r->allow;
}

static unsigned rule_refuse(struct rules *r)
{
	return r->ask;
}

static unsigned rule_missing(struct rules *r)
{
	return r->missing;
}

static unsigned (*const rule[RULES_END])(struct rules *) = {
	[RULE_MISSING] = rule_missing,
	[RULE_ALLOW] = rule_allow,
	[RULE_REFUSE] = rule_refuse,
	[RULE_NAME] = rule_name,
	[RULE_OPEN] = rule_open,
	[RULE_OPENAT] = rule_openat,
	[RULE_CREAT] = rule_creat,
	[RULE_MKNOD] = rule_mknod,
	[RULE_MKNODAT] = rule_mknodat,
	[RULE_WRITE_PATH] = rule_told,
	[RULE_CHMOD] = rule_chmod,
	[RULE_FCHMOD] = rule_fchmod,
	[RULE_FCHMODAT] = rule_fchmodat,
	[RULE_CONNECT] = rule_connect,
	[RULE_SENDTO] = rule_sendto,
	[RULE_SIGNAL] = rule_told,
	[RULE_BIND] = rule_acted,
	[RULE_UMASK] = rule_acted,
	[RULE_PTRACE] = rule_ptrace,
	[RULE_USERNS] = rule_userns,
	[RULE_IPC] = rule_ipc,
	[RULE_SOCKET] = rule_socket,
	[RULE_SOCKETPAIR] = rule_socketpair,
	[RULE_SETSOCKOPT] = rule_setsockopt,
	[RULE_CLONE] = rule_clone,
	[RULE_IOCTL] = rule_ioctl,
	[RULE_PRCTL] = rule_prctl,
	[RULE_PERSONALITY] = rule_personality,
	[RULE_SECCOMP] = rule_seccomp,
	[RULE_PRLIMIT] = rule_prlimit,
	[RULE_SETRLIMIT] = rule_setrlimit,
	[RULE_RULESET] = rule_ruleset,
};

void bpf_rules_put(struct bpf_code *code, const struct bpf_request *request, unsigned ret_place[RULES_END])
{
	struct rules r = {
		.code = code,
		.request = request,
		.tell_writes = request->notify && request->tell_writes,
		.tell_reads = request->notify && request->tell_reads,
		.acts = request->act_names || request->act_opens || request->act_sockets,
	};

	r.missing = bpf_return(code, SECCOMP_RET_ERRNO | ENOSYS);
	r.deny = bpf_return(code, SECCOMP_RET_ERRNO | EPERM);
	r.ask = request->notify ? bpf_return(code, SECCOMP_RET_USER_NOTIF) : r.deny;
	r.allow = bpf_return(code, SECCOMP_RET_ALLOW);
	for (unsigned i = 0; i < RULES_END; i++)
		ret_place[i] = rule[i](&r);
}

/* A fork that shares descriptors, to perform a call that may wait aside: no thread, no shared memory, no namespace. */
static unsigned init_clone(struct bpf_code *code, unsigned yes, unsigned no)
{
	return bpf_load(code, low(0), bpf_if(code, BPF_JEQ, CLONE_FILES | SIGCHLD, yes, no));
}

/* linux/seccomp.h: all that init does with the listener. */
static unsigned init_ioctl(struct bpf_code *code, unsigned yes, unsigned no)
{
	static const uint32_t listener[] = {
		(uint32_t)SECCOMP_IOCTL_NOTIF_RECV,
		(uint32_t)SECCOMP_IOCTL_NOTIF_SEND,
		(uint32_t)SECCOMP_IOCTL_NOTIF_ID_VALID,
		(uint32_t)SECCOMP_IOCTL_NOTIF_ADDFD,
	};

	return bpf_load(code, low(1), one_of(code, listener, ARRAY_LEN(listener), yes, no));
}

static unsigned init_prctl(struct bpf_code *code, unsigned yes, unsigned no)
{
	static const uint32_t options[] = { PR_SET_NAME, PR_SET_PDEATHSIG };

	return bpf_load(code, low(0), one_of(code, options, ARRAY_LEN(options), yes, no));
}

/* Local ones, for those who may not make them; and TCP, for those outside who may not make them in here. */
static unsigned init_socket(struct bpf_code *code, unsigned yes, unsigned no)
{
	static const uint32_t families[] = { AF_UNIX, AF_INET };

	return bpf_load(code, low(0), one_of(code, families, ARRAY_LEN(families), yes, no));
}

void bpf_init_rules_put(struct bpf_code *code, unsigned ret_place[INIT_RULES_END])
{
	unsigned no = bpf_return(code, SECCOMP_RET_KILL_PROCESS);
	unsigned yes = bpf_return(code, SECCOMP_RET_ALLOW);

	ret_place[INIT_NO] = no;
	ret_place[INIT_YES] = yes;
	ret_place[INIT_CLONE] = init_clone(code, yes, no);
	ret_place[INIT_IOCTL] = init_ioctl(code, yes, no);
	ret_place[INIT_PRCTL] = init_prctl(code, yes, no);
	ret_place[INIT_SOCKET] = init_socket(code, yes, no);
}
