#include "plan/words.h"

#include "base/own.h"
#include "plan/plan.h"

#include <linux/sched.h>
#include <sys/resource.h>

struct word {
	uint64_t bits;
	const char *text;
};

static const struct word tree[] = {
	{ PLAN_TREE_RO, "ro" },
	{ PLAN_TREE_NOSUID, "nosuid" },
	{ PLAN_TREE_NODEV, "nodev" },
	{ PLAN_TREE_NOEXEC, "noexec" },
	{ PLAN_TREE_NOSYMFOLLOW, "nosymfollow" },
	{ PLAN_TREE_RECURSIVE, "recursive" },
	{ PLAN_TREE_OPTIONAL, "optional" },
};

static const struct word namespaces[] = {
	{ CLONE_NEWUSER, "user" }, { CLONE_NEWNS, "mount" }, { CLONE_NEWPID, "pid" },       { CLONE_NEWNET, "net" },
	{ CLONE_NEWIPC, "ipc" },   { CLONE_NEWUTS, "uts" },  { CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWTIME, "time" },
};

static const struct word proc[] = {
	{ PLAN_PROC_SUBSET_PID, "subset=pid" },
	{ PLAN_PROC_HIDEPID, "hidepid" },
	{ PLAN_PROC_RO, "ro" },
};

static const struct word init[] = {
	{ PLAN_INIT_TELL, "tell" },       { PLAN_INIT_ACT, "act" },         { PLAN_INIT_ACT_OPENS, "act-opens" },
	{ PLAN_INIT_RUNG2, "subreaper" }, { PLAN_INIT_SOCKETS, "sockets" }, { PLAN_INIT_ABSTRACT, "abstract" },
};

static const struct word streams[] = {
	{ 1, "input" },
	{ 2, "output" },
	{ 4, "error" },
};

/*
 * linux/landlock.h, by number, because the header on the build machine may be older than the kernel that runs the plan. A word for
 * several bits stands before those for one.
 */
static const struct word files[] = {
	{ 1 << 0, "execute" },   { 1 << 2 | 1 << 3, "read" },   { 1 << 1, "write_file" },  { 1 << 2, "read_file" },
	{ 1 << 3, "read_dir" },  { 1 << 4 | 1 << 5, "remove" }, { 1 << 4, "remove_dir" },  { 1 << 5, "remove_file" },
	{ 0x7f << 6, "make" },   { 1 << 6, "make_char" },       { 1 << 7, "make_dir" },    { 1 << 8, "make_reg" },
	{ 1 << 9, "make_sock" }, { 1 << 10, "make_fifo" },      { 1 << 11, "make_block" }, { 1 << 12, "make_sym" },
	{ 1 << 13, "refer" },    { 1 << 14, "truncate" },       { 1 << 15, "ioctl_dev" },
};

static const struct word network[] = {
	{ 1 << 0, "bind_tcp" },
	{ 1 << 1, "connect_tcp" },
};

static const struct word scopes[] = {
	{ 1 << 0, "abstract_unix_socket" },
	{ 1 << 1, "signal" },
};

static const struct {
	const struct word *words;
	size_t n;
} tables[WORDS_KINDS_END] = {
	[WORDS_TREE] = { tree, ARRAY_LEN(tree) },          [WORDS_NAMESPACES] = { namespaces, ARRAY_LEN(namespaces) },
	[WORDS_PROC] = { proc, ARRAY_LEN(proc) },          [WORDS_INIT] = { init, ARRAY_LEN(init) },
	[WORDS_STREAMS] = { streams, ARRAY_LEN(streams) }, [WORDS_FILES] = { files, ARRAY_LEN(files) },
	[WORDS_NETWORK] = { network, ARRAY_LEN(network) }, [WORDS_SCOPES] = { scopes, ARRAY_LEN(scopes) },
};

void words_put(struct str *out, enum words_kind kind, uint64_t bits)
{
	const char *comma = "";

	if (kind == WORDS_TREE && !(bits & PLAN_TREE_RO)) {
		str_add(out, "rw");
		comma = ",";
	} else if (bits == 0) {
		str_add(out, "none");
	}
	for (size_t i = 0; i < tables[kind].n; i++) {
		const struct word *word = &tables[kind].words[i];

		if ((bits & word->bits) != word->bits)
			continue;
		str_printf(out, "%s%s", comma, word->text);
		bits &= ~word->bits;
		comma = ",";
	}
	if (bits)
		str_printf(out, "%s0x%llx", comma, (unsigned long long)bits);
}

const char *words_cgroup(uint64_t controller)
{
	static const char *const names[] = {
		[PLAN_CGROUP_V2] = "v2",         [PLAN_CGROUP_V1_MEMORY] = "v1 memory",   [PLAN_CGROUP_V1_PIDS] = "v1 pids",
		[PLAN_CGROUP_V1_CPU] = "v1 cpu", [PLAN_CGROUP_V1_FREEZER] = "v1 freezer",
	};

	return controller < ARRAY_LEN(names) ? names[controller] : "?";
}

static const struct {
	const char *name;
	enum words_unit unit;
} rlimits[] = {
	[RLIMIT_CPU] = { "CPU", WORDS_SECONDS },         [RLIMIT_FSIZE] = { "FSIZE", WORDS_BYTES },
	[RLIMIT_DATA] = { "DATA", WORDS_BYTES },         [RLIMIT_STACK] = { "STACK", WORDS_BYTES },
	[RLIMIT_CORE] = { "CORE", WORDS_BYTES },         [RLIMIT_RSS] = { "RSS", WORDS_BYTES },
	[RLIMIT_NPROC] = { "NPROC", WORDS_COUNT },       [RLIMIT_NOFILE] = { "NOFILE", WORDS_COUNT },
	[RLIMIT_MEMLOCK] = { "MEMLOCK", WORDS_BYTES },   [RLIMIT_AS] = { "AS", WORDS_BYTES },
	[RLIMIT_LOCKS] = { "LOCKS", WORDS_COUNT },       [RLIMIT_SIGPENDING] = { "SIGPENDING", WORDS_COUNT },
	[RLIMIT_MSGQUEUE] = { "MSGQUEUE", WORDS_BYTES }, [RLIMIT_NICE] = { "NICE", WORDS_COUNT },
	[RLIMIT_RTPRIO] = { "RTPRIO", WORDS_COUNT },     [RLIMIT_RTTIME] = { "RTTIME", WORDS_COUNT },
};

const char *words_rlimit(uint64_t resource)
{
	return resource < ARRAY_LEN(rlimits) ? rlimits[resource].name : "?";
}

enum words_unit words_rlimit_unit(uint64_t resource)
{
	return resource < ARRAY_LEN(rlimits) ? rlimits[resource].unit : WORDS_COUNT;
}
