/* sample.h: a complete, sane plan, one operation of most kinds, for the tests of this folder. */
#ifndef COFFER_TESTS_UNIT_PLAN_SAMPLE_H
#define COFFER_TESTS_UNIT_PLAN_SAMPLE_H

#include "base/own.h"
#include "plan/build.h"
#include "unit/unit.h"

#include <linux/filter.h>
#include <linux/sched.h>

#define N(x) ((uint64_t)(x))
#define SAMPLE_NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define SAMPLE_SAFE (PLAN_TREE_NOSUID | PLAN_TREE_NODEV)

#define LIST(...)                                                                \
	(&(struct text_vec){                                                     \
	    .at = (const char *[]){ __VA_ARGS__ },                               \
	    .n = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *), \
	})
#define EMPTY_LIST (&(struct text_vec){ 0 })

static const struct sock_filter sample_filter[2] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	BPF_STMT(BPF_RET | BPF_K, 0x7fff0000),
};

static inline void sample_host(struct plan_build *b)
{
	plan_build_note(b, "Landlock ABI %d: TCP rules not enforced", 3);
	plan_add(b, OP_WATCH, "--timeout", N(30000), N(1 << 20), UINT64_MAX, N(0));
	plan_add(b, OP_CGROUP_MAKE, "default", N(PLAN_CGROUP_V2), "/sys/fs/cgroup/u/coffer-r7f3a");
	plan_add(b, OP_CGROUP_SET, "--memory", "/sys/fs/cgroup/u/coffer-r7f3a/memory.max", "268435456");
	plan_add(b, OP_CGROUP_JOIN, "default", "/sys/fs/cgroup/u/coffer-r7f3a/cgroup.procs");
}

static inline void sample_birth(struct plan_build *b)
{
	unsigned work = plan_build_slot(b), usr = plan_build_slot(b);

	plan_build_note(b, "second");
	plan_add(b, OP_HOST_TREE, "/workspace", N(work), "/srv/work", N(SAMPLE_SAFE), N(2049), N(77));
	plan_add(b, OP_TREE_IDMAP, "/workspace", N(work), N(0), N(2080374784), N(0), N(2080374784));
	plan_add(b, OP_WARDEN_USER, "default", N(2080374784), N(2080374784));
	plan_add(b, OP_SPAWN, "default", N(SAMPLE_NAMESPACES));
	plan_add(b, OP_IDMAP, "default", N(1000), N(2080374784), N(1000), N(2080374784));
	plan_add(b, OP_BECOME, "", N(1000), N(1000));
	plan_add(b, OP_PRIVATE, "");
	plan_add(b, OP_TREE, "default", N(usr), "/usr", N(SAMPLE_SAFE | PLAN_TREE_RO | PLAN_TREE_RECURSIVE), N(0), N(0));
	plan_add(b, OP_ROOT_NEW, "default", N(65536), N(1024));
	plan_add(b, OP_DIR, "default", "/usr", N(0755));
	plan_add(b, OP_PLACE, "default", N(usr), "/usr");
	plan_add(b, OP_DIR, "/workspace", "/srv/work", N(0755));
	plan_add(b, OP_PLACE, "/workspace", N(work), "/srv/work");
}

static inline void sample_root(struct plan_build *b)
{
	plan_add(b, OP_LINK, "default", "/bin", "usr/bin");
	plan_add(b, OP_FILE, "default", "/etc/two words", N(0644), (const void *)"abc", (size_t)3);
	plan_add(b, OP_TMPFS, "--tmp", "/tmp", N(SAMPLE_SAFE), N(64 << 20), N(1000), N(01777));
	plan_add(b, OP_PROC, "default", "/proc", N(PLAN_PROC_HIDEPID));
	plan_add(b, OP_DEVPTS, "default", "/dev/pts");
	plan_add(b, OP_MQUEUE, "default", "/dev/mqueue");
	plan_add(b, OP_REBIND, "/filesystem/denyWrite/0", "/srv/work/.git", N(SAMPLE_SAFE | PLAN_TREE_RO), N(2049), N(78));
	plan_add(b, OP_MASK, "/filesystem/denyRead/0", "/home/u/.ssh", N(PLAN_MASK_DIR), N(2049), N(79));
	plan_add(b, OP_COVER, "default", "/etc/passwd", N(0644), (const void *)"root:x:0:0\n", (size_t)11);
	plan_add(b, OP_REMOUNT, "default", "/", N(SAMPLE_SAFE | PLAN_TREE_RO));
	plan_add(b, OP_SYSCTL, "default", "user/max_user_namespaces", "0");
	plan_add(b, OP_LOOPBACK, "default");
	plan_add(b, OP_PIVOT, "");
}

static inline void sample_lock(struct plan_build *b)
{
	const void *filter = sample_filter;

	plan_add(b, OP_HOSTNAME, "default", "sandbox");
	plan_add(b, OP_SESSION, "");
	plan_add(b, OP_TERMINAL, "default", N(7));
	plan_add(b, OP_RLIMIT, "--open-files", N(7), N(1024), N(4096));
	plan_add(b, OP_RLIMIT, "--file-size", N(1), N(1 << 20), UINT64_MAX);
	plan_add(b, OP_RLIMIT, "--cpu-time", N(0), N(10), N(11));
	plan_add(b, OP_CHDIR, "/workspace", "/srv/work");
	plan_add(b, OP_UMASK, "default", N(022));
	plan_add(b, OP_CAPS_DROP, "");
	plan_add(b, OP_NO_NEW_PRIVS, "");
	plan_add(b, OP_LANDLOCK_OPEN, "default", N(7), N(0xffff), N(3), N(3));
	plan_add(b, OP_LANDLOCK_PATH, "default", "/usr", N(1 | 4 | 8));
	plan_add(b, OP_LANDLOCK_ENTER, "default");
	plan_add(b, OP_INIT, "default", filter, sizeof(sample_filter), N(PLAN_INIT_TELL | PLAN_INIT_ACT), LIST("r/", "w/srv/work"),
	         LIST("w/srv/work/**/.git"), LIST("default", "/workspace", "default"));
	plan_add(b, OP_CLOSE_FDS, "");
	plan_add(b, OP_SECCOMP, "default", filter, sizeof(sample_filter), N(1));
	plan_add(b, OP_EXEC, "", LIST("/usr/local/bin/python3", "/usr/bin/python3"), LIST("python3", "main.py", "a b"),
	         LIST("HOME=/home/u", "API_key=hunter2", "EMPTY="));
}

/* The plan, in the arena. */
static inline struct plan sample_plan(struct arena *arena)
{
	struct plan_build b;
	struct plan plan;
	struct err err = { 0 };

	plan_build_init(&b, arena);
	sample_host(&b);
	sample_birth(&b);
	sample_root(&b);
	sample_lock(&b);
	if (plan_build_done(&b, &plan, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	return plan;
}

/* The smallest plan that is sane: rung two, with nothing to see. */
static inline void small_plan_rest(struct plan_build *b)
{
	const void *filter = sample_filter;

	plan_add(b, OP_CAPS_DROP, "");
	plan_add(b, OP_NO_NEW_PRIVS, "");
	plan_add(b, OP_CLOSE_FDS, "");
	plan_add(b, OP_SECCOMP, "default", filter, sizeof(sample_filter), N(0));
	plan_add(b, OP_EXEC, "", LIST("/bin/true"), LIST("true"), LIST("A=b"));
}

static inline void small_plan_ops(struct plan_build *b)
{
	plan_add(b, OP_SPAWN, "default", N(0));
	small_plan_rest(b);
}

static inline struct plan small_plan(struct arena *arena)
{
	struct plan_build b;
	struct plan plan;

	plan_build_init(&b, arena);
	plan_build_note(&b, "a note");
	small_plan_ops(&b);
	assert_int_equal(plan_build_done(&b, &plan, NULL), 0);
	return plan;
}

#endif
