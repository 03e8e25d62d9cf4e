/*
 * Theory of operation. Each fact is asked for with a call that cannot do anything: a wrong argument tells a kernel that knows the call (EINVAL)
 * from one that does not (ENOSYS) and from a filter around us (EPERM). Where there is no such call the kernel's version has
 * to do. Nothing is forked: user namespaces are tried by a clone that fails in its last step. What is left (a security module's mind about
 * another program) the run will tell, before the command has started.
 */
#include "engine/probe.h"

#include "base/own.h"
#include "engine/engine.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef __NR_open_tree
#define __NR_open_tree 428
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#endif
enum { LANDLOCK_ASK_VERSION = 1 }; /* LANDLOCK_CREATE_RULESET_VERSION of linux/landlock.h */
enum { SECCOMP_ASK_SIZES = 3 };    /* SECCOMP_GET_NOTIF_SIZES of linux/seccomp.h */
enum { PROBE_CPUS_MAX = 8192, PROBE_MOUNTINFO_MAX = 4 << 20 /* pages are touched as they are filled */ };
enum { SANDBOX_UID_BASE = 0x7c0f0000 }; /* whoever names the run adds 16 bits of its name */

/* The profile that lets the launcher make user namespaces where AppArmor refuses them to everybody else; packages install it. */
static const char apparmor_profile[] = "/etc/apparmor.d/coffer-launch";

/* ---- kernel ---- */

struct kernel {
	unsigned long major, minor;
};

static struct kernel parse_release(const char *release)
{
	char *end;
	struct kernel kernel = { .major = strtoul(release, &end, 10) };

	if (*end == '.')
		kernel.minor = strtoul(end + 1, NULL, 10);
	return kernel;
}

static bool is_at_least(struct kernel kernel, unsigned long major, unsigned long minor)
{
	return kernel.major > major || (kernel.major == major && kernel.minor >= minor);
}

static bool knows_mount_api(void)
{
	static const unsigned wrong_flags = ~0U;
	long r = syscall(__NR_open_tree, -1, "", wrong_flags);

	if (r >= 0 || errno != EINVAL)
		return false;
	r = syscall(__NR_mount_setattr, -1, "", wrong_flags, NULL, 0);
	return r < 0 && errno == EINVAL;
}

static bool knows_seccomp_notify(void)
{
	struct seccomp_notif_sizes sizes;

	return syscall(__NR_seccomp, SECCOMP_ASK_SIZES, 0, &sizes) == 0;
}

static int probe_kernel(struct arena *arena, struct facts *facts)
{
	struct utsname name;

	if (uname(&name) < 0)
		return -errno;
	facts->kernel = arena_dup(arena, name.release);
	facts->arch = arena_dup(arena, name.machine);
	if (!facts->kernel || !facts->arch)
		return -ENOMEM;

	struct kernel kernel = parse_release(name.release);
	long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, LANDLOCK_ASK_VERSION);

	facts->landlock_abi = abi > 0 ? (uint32_t)abi : 0;
	facts->seccomp_notify = is_at_least(kernel, 5, 14) && knows_seccomp_notify();
	facts->mount_api = is_at_least(kernel, 5, 12) && knows_mount_api();
	facts->idmapped_mounts = facts->mount_api && facts->root;
	facts->nftables = is_at_least(kernel, 5, 2); /* the run tells otherwise: asking makes the kernel look for a module */
	facts->overlay = facts->mount_api && (facts->sandbox_uid ? facts->root && is_at_least(kernel, 5, 19) : is_at_least(kernel, 5, 11));
	facts->rlimit_nproc_per_userns = is_at_least(kernel, 5, 14);
	facts->cgroup_kill = is_at_least(kernel, 5, 14);
	return 0;
}

bool engine_takes_overlay(int dir)
{
	static const uint32_t others[] = { OVERLAYFS_SUPER_MAGIC, NFS_SUPER_MAGIC, FUSE_SUPER_MAGIC,
		                           SMB2_SUPER_MAGIC,      V9FS_MAGIC,      CEPH_SUPER_MAGIC };
	struct statfs fs;
	char value;

	if (fstatfs(dir, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if ((uint32_t)fs.f_type == others[i])
			return false;
	return fgetxattr(dir, "user.coffer", &value, sizeof(value)) >= 0 || errno == ENODATA || errno == ERANGE;
}

/* ---- who we are ---- */

struct capabilities {
	struct __user_cap_data_struct data[2];
};

static struct capabilities own_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct capabilities own = { 0 };

	(void)syscall(__NR_capget, &head, own.data);
	return own;
}

static bool has(const struct capabilities *own, int capability)
{
	return own->data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

/* Lines of "inside outside count". The first namespace maps every id to itself; nobody else can make such a map. */
static void probe_id_map(struct facts *facts)
{
	char map[4096], *rest = map;

	facts->uid_above = UINT32_MAX; /* without a mapping: nobody */
	if (file_read_at(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map)) <= 0)
		return;
	while (*rest) {
		unsigned long inside = strtoul(rest, &rest, 10), outside = strtoul(rest, &rest, 10), count = strtoul(rest, &rest, 10);

		if (facts->uid >= inside && facts->uid - inside < count)
			facts->uid_above = (uint32_t)(outside + facts->uid - inside);
		facts->first_user_namespace = inside == 0 && outside == 0 && count == UINT32_MAX;
		if (*rest++ != '\n')
			break;
	}
}

/* To run a sandbox as somebody else, give it files and streams, end it and clear up after it. Container engines leave root these. */
static bool may_be_anybody(const struct capabilities *own)
{
	static const int needed[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_KILL, CAP_SETGID, CAP_SETUID };
	bool all = true;

	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		all = all && has(own, needed[i]);
	return all;
}

static void probe_ids(const struct capabilities *own, struct facts *facts)
{
	facts->uid = geteuid();
	facts->gid = getegid();
	probe_id_map(facts);
	if (facts->uid == 0 && facts->first_user_namespace && may_be_anybody(own))
		facts->sandbox_uid = SANDBOX_UID_BASE;
	facts->root = facts->sandbox_uid && has(own, CAP_SYS_ADMIN);
}

/* ---- user namespaces ---- */

/* The value of a sysctl, or what it would be where it does not exist. */
static uint64_t sysctl_value(const char *path, uint64_t otherwise)
{
	uint64_t value;

	return file_read_number_at(AT_FDCWD, path, &value) == 0 ? value : otherwise;
}

/*
 * clone(2) never takes CLONE_NEWUSER together with CLONE_FS and says EINVAL before it does anything. A filter that refuses user
 * namespaces, as container engines load it, speaks first. Should a kernel ever take it, the child ends at once.
 */
static bool is_filtered(void)
{
	long r = syscall(__NR_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL);

	if (r == 0)
		_exit(0);
	if (r > 0)
		(void)waitpid((pid_t)r, NULL, 0);
	return r < 0 && errno != EINVAL;
}

/*
 * Does the kernel make one for this process? It looks at what no file tells: a chroot, an id without a mapping, how many there are, a security
 * module. The child is to have a process number in more pid namespaces than there are above it; that is found out after its user namespace
 * has been made, which goes again with EINVAL (alloc_pid in kernel/pid.c). Without clone3, or before 5.5, nothing is known.
 */
static int try_one(void)
{
	enum { TOO_MANY = 32 /* MAX_PID_NS_LEVEL: more are refused before anything is done */ };
	pid_t numbers[TOO_MANY];
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_VM | CLONE_FILES, .exit_signal = SIGCHLD, .set_tid_size = TOO_MANY };

	for (size_t i = 0; i < TOO_MANY; i++)
		numbers[i] = 1; /* and if there are as many: it is taken */
	args.set_tid = (uintptr_t)numbers;
	return syscall(__NR_clone3, &args, sizeof(args)) < 0 ? -errno : 0;
}

static const char *kernel_refusal(void)
{
	switch (try_one()) {
	case -EPERM:
	case -EACCES:
		return "the kernel refuses them to this process, as it does in a chroot, or to an id without a mapping, or for a security module";
	case -ENOSPC:
	case -EUSERS:
		return "user.max_user_namespaces is reached, or 32 are nested";
	default:
		return NULL;
	}
}

/* What says no; NULL when nothing does. The way to change its mind is facts_user_namespaces_fix. */
static const char *user_namespaces_refusal(bool capable)
{
	uint64_t most = sysctl_value("/proc/sys/user/max_user_namespaces", UINT64_MAX);
	bool restricted = !capable && sysctl_value("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) != 0;

	if (most == UINT64_MAX && access("/proc/self/ns/user", F_OK) < 0)
		return "this kernel is built without them";
	if (most == 0)
		return "user.max_user_namespaces is 0";
	if (!capable && sysctl_value("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
		return "kernel.unprivileged_userns_clone is 0";
	if (restricted && access(apparmor_profile, F_OK) < 0)
		return "kernel.apparmor_restrict_unprivileged_userns is 1";
	if (is_filtered())
		return "a seccomp filter around this process refuses them";
	return restricted ? NULL : kernel_refusal(); /* the launcher's profile is not this program's */
}

static void probe_user_namespaces(const struct capabilities *own, struct facts *facts)
{
	facts->user_namespaces_why = user_namespaces_refusal(has(own, CAP_SYS_ADMIN));
	facts->user_namespaces = !facts->user_namespaces_why;
}

/* ---- tracing ---- */

/*
 * process_vm_readv asks for the right to attach. Yama keeps that from all without CAP_SYS_PTRACE from 2 up, and 1 is no obstacle to an
 * ancestor (Documentation/admin-guide/LSM/Yama.rst). A filter keeps the call even from its own process.
 */
static void probe_tracing(struct facts *facts)
{
	enum { YAMA_ANCESTORS = 1 };
	char from = 0, to;
	struct iovec source = { &from, 1 }, target = { &to, 1 };

	if (sysctl_value("/proc/sys/kernel/yama/ptrace_scope", 0) > YAMA_ANCESTORS)
		facts->tracing_why = "kernel.yama.ptrace_scope is more than 1";
	else if (syscall(__NR_process_vm_readv, getpid(), &target, 1UL, &source, 1UL, 0UL) != 1)
		facts->tracing_why = errno == ENOSYS ? "this kernel is built without process_vm_readv"
		                                     : "a seccomp filter around this process refuses process_vm_readv";
	else if (syscall(__NR_openat2, -1, "", NULL, 0) == 0 || errno != EINVAL)
		facts->tracing_why = "this kernel, or a seccomp filter around this process, has no openat2";
}

/* ---- procfs ---- */

/*
 * A user namespace may mount a fresh procfs only where one is visible in full: with nothing mounted over parts of it, but on directories that
 * are always empty (mnt_already_visible in fs/namespace.c). Container engines cover /proc/kcore and others.
 */
enum { PROCS_MAX = 16 };

struct procs {
	struct {
		long id;
		bool covered;
	} at[PROCS_MAX];
	size_t n;
};

static bool is_always_empty(const char *mount_point)
{
	return strcmp(mount_point, "/proc/sys/fs/binfmt_misc") == 0 || strcmp(mount_point, "/proc/fs/nfsd") == 0;
}

/* The next of the words of a line, which is cut into pieces; "" when there is none. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " "), *end = word + strcspn(word, " ");

	*rest = end + (*end != '\0');
	*end = '\0';
	return word;
}

/* One line of /proc/self/mountinfo: id, parent, major:minor, root, mount point, options, …, "-", type, … Parents come first. */
static void look_at_mount(struct procs *procs, char *line)
{
	bool is_proc = strstr(line, " - proc ");
	long id = strtol(next_word(&line), NULL, 10), parent = strtol(next_word(&line), NULL, 10);

	(void)next_word(&line);

	const char *root = next_word(&line), *mount_point = next_word(&line);

	for (size_t i = 0; i < procs->n; i++)
		if (procs->at[i].id == parent && !is_always_empty(mount_point))
			procs->at[i].covered = true;
	if (is_proc && strcmp(root, "/") == 0 && procs->n < PROCS_MAX)
		procs->at[procs->n++].id = id;
}

static bool is_proc_mountable(void)
{
	struct procs procs = { .n = 0 };
	autofree char *mounts = malloc(PROBE_MOUNTINFO_MAX);

	if (!mounts || file_read_at(AT_FDCWD, "/proc/self/mountinfo", mounts, PROBE_MOUNTINFO_MAX) < 0)
		return false;
	for (char *line = mounts, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		look_at_mount(&procs, line);
	}
	for (size_t i = 0; i < procs.n; i++)
		if (!procs.at[i].covered)
			return true;
	return false;
}

/* ---- machine ---- */

static uint32_t count_cpus(void)
{
	unsigned char cpus[PROBE_CPUS_MAX / 8] = { 0 };
	uint32_t count = 0;

	if (syscall(__NR_sched_getaffinity, 0, sizeof(cpus), cpus) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(cpus); i++)
		count += (uint32_t)__builtin_popcount(cpus[i]);
	return count ? count : 1;
}

static void probe_machine(struct facts *facts)
{
	struct sysinfo info;

	facts->cpus = count_cpus();
	if (sysinfo(&info) == 0)
		facts->memory_bytes = (uint64_t)info.totalram * info.mem_unit;
	facts->proc_mountable = is_proc_mountable();
}

int engine_probe(struct arena *arena, struct facts *ret_facts, struct err *err)
{
	const struct capabilities own = own_capabilities();
	struct facts facts = { 0 };

	probe_ids(&own, &facts);

	int r = probe_kernel(arena, &facts);

	if (r == 0) {
		probe_user_namespaces(&own, &facts);
		probe_tracing(&facts);
		probe_machine(&facts);
		r = probe_cgroups(arena, &facts);
	}
	if (r < 0)
		return err_set(err, r == -ENOMEM ? ERR_LIMIT : ERR_INTERNAL, -r, "this machine cannot be probed: %s", strerror(-r));
	*ret_facts = facts;
	return 0;
}
