#include "plan/operands.h"

#include "base/path.h"

#include <linux/filter.h>
#include <linux/sched.h>
#include <string.h>

/* (uid_t)-1 means "leave it as it is" to the kernel: no plan may say that. */
#define ID_MOST (UINT32_MAX - 1)
#define TREE_FLAGS_MOST (2 * PLAN_TREE_OPTIONAL - 1)

enum { MODE_MOST = 07777, UMASK_MOST = 0777, RESOURCE_MOST = 15 /* RLIMIT_RTTIME */, STREAMS_MOST = 7 };

#define SPAWN_NAMESPACES \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME)

/* Flags are numbers too: where all bits below the highest known one are known, the largest number says it. */
static const struct {
	uint16_t code;
	uint8_t operand;
	uint64_t least, most;
} ranges[] = {
	{ OP_CGROUP_MAKE, 0, PLAN_CGROUP_V2, PLAN_CGROUP_V1_FREEZER },
	{ OP_SCRATCH_MAKE, 1, 0, MODE_MOST },
	{ OP_SCRATCH_MAKE, 2, 0, ID_MOST },
	{ OP_SCRATCH_MAKE, 3, 0, ID_MOST },
	{ OP_PUBLISH, 1, 1, UINT16_MAX },
	{ OP_PUBLISH, 2, 1, UINT16_MAX },
	{ OP_HOST_TREE, 2, 0, TREE_FLAGS_MOST },
	{ OP_TREE_IDMAP, 1, 0, ID_MOST },
	{ OP_TREE_IDMAP, 2, 0, ID_MOST },
	{ OP_TREE_IDMAP, 3, 0, ID_MOST },
	{ OP_TREE_IDMAP, 4, 0, ID_MOST },
	{ OP_WARDEN_USER, 0, 1, ID_MOST },
	{ OP_WARDEN_USER, 1, 1, ID_MOST },
	{ OP_IDMAP, 0, 0, ID_MOST },
	{ OP_IDMAP, 1, 0, ID_MOST },
	{ OP_IDMAP, 2, 0, ID_MOST },
	{ OP_IDMAP, 3, 0, ID_MOST },
	{ OP_BECOME, 0, 0, ID_MOST },
	{ OP_BECOME, 1, 0, ID_MOST },
	{ OP_TREE, 2, 0, TREE_FLAGS_MOST },
	{ OP_DIR, 1, 0, MODE_MOST },
	{ OP_FILE, 1, 0, MODE_MOST },
	{ OP_TMPFS, 1, 0, TREE_FLAGS_MOST },
	{ OP_TMPFS, 4, 0, MODE_MOST },
	{ OP_PROC, 1, 0, 2 * PLAN_PROC_RO - 1 },
	{ OP_REBIND, 1, 0, TREE_FLAGS_MOST },
	{ OP_COVER, 1, 0, MODE_MOST },
	{ OP_REMOUNT, 1, 0, TREE_FLAGS_MOST },
	{ OP_TERMINAL, 0, 1, STREAMS_MOST },
	{ OP_RLIMIT, 0, 0, RESOURCE_MOST },
	{ OP_UMASK, 0, 0, UMASK_MOST },
	{ OP_IDS, 0, 1, ID_MOST },
	{ OP_IDS, 1, 1, ID_MOST },
	{ OP_LANDLOCK_OPEN, 0, 1, UINT32_MAX },
	{ OP_INIT, 1, 0, 2 * PLAN_INIT_ABSTRACT - 1 },
	{ OP_SECCOMP, 1, 0, 1 },
};

bool operand_is_path(const char *text)
{
	return strnlen(text, PATH_BYTES_MAX + 1) <= PATH_BYTES_MAX && path_is_normal(text);
}

static bool are_in_range(const struct plan_op *op)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		uint64_t value = op->arg[ranges[i].operand];

		if (op->code == ranges[i].code && (value < ranges[i].least || value > ranges[i].most))
			return false;
	}
	return true;
}

static bool is_filter(const struct plan *plan, const struct plan_op *op, unsigned operand)
{
	size_t len;

	plan_blob(plan, op, operand, &len);
	return len > 0 && len % sizeof(struct sock_filter) == 0 && len / sizeof(struct sock_filter) <= BPF_MAXINSNS;
}

/* Below /proc/sys, and nowhere else. */
static bool is_sysctl(const char *name)
{
	return name[0] && name[0] != '/' && !strstr(name, "..");
}

/* Sorted by path, each path once. */
static bool are_regions(const struct plan *plan, const struct plan_op *op)
{
	const char *before = NULL;

	for (const char *s = NULL; (s = plan_list_next(plan, op, 2, s));) {
		if (!s[0] || !strchr("wprh", s[0]) || !operand_is_path(s + 1))
			return false;
		if (before && strcmp(before + 1, s + 1) >= 0)
			return false;
		before = s;
	}
	return true;
}

static bool are_patterns(const struct plan *plan, const struct plan_op *op)
{
	for (const char *s = NULL; (s = plan_list_next(plan, op, 3, s));)
		if (!s[0] || !strchr("wdrosi+", s[0]) || s[1] != '/')
			return false;
	return true;
}

static bool is_init(const struct plan *plan, const struct plan_op *op)
{
	size_t rules = plan_list_count(plan, op, 2) + plan_list_count(plan, op, 3);

	return is_filter(plan, op, 0) && are_regions(plan, op) && are_patterns(plan, op) && plan_list_count(plan, op, 4) == rules;
}

static bool is_mask(const struct plan_op *op)
{
	uint64_t kind = plan_number(op, 1) & ~(uint64_t)PLAN_MASK_OPTIONAL;

	return kind == PLAN_MASK_DIR || kind == PLAN_MASK_FILE;
}

/* That what is written and the work directory are two is the kernel's to say, too. */
static bool is_overlay(const struct plan *plan, const struct plan_op *op)
{
	for (const char *s = NULL; (s = plan_list_next(plan, op, 2, s));)
		if (!operand_is_path(s))
			return false;
	return plan_list_count(plan, op, 2) <= PLAN_LAYERS_MAX && strcmp(plan_text(plan, op, 3), plan_text(plan, op, 4)) != 0;
}

/* At least one candidate, each a path; at least argv[0]; variables that have a name. */
static bool is_exec(const struct plan *plan, const struct plan_op *op)
{
	for (const char *s = NULL; (s = plan_list_next(plan, op, 0, s));)
		if (!operand_is_path(s))
			return false;
	for (const char *s = NULL; (s = plan_list_next(plan, op, 2, s));)
		if (s[0] == '=' || !strchr(s, '='))
			return false;
	return plan_list_next(plan, op, 0, NULL) && plan_list_next(plan, op, 1, NULL);
}

bool operands_fit(const struct plan *plan, const struct plan_op *op)
{
	if (!are_in_range(op))
		return false;
	switch (op->code) {
	case OP_SPAWN:
		return (op->arg[0] & ~(uint64_t)SPAWN_NAMESPACES) == 0;
	case OP_SYSCTL:
		return is_sysctl(plan_text(plan, op, 0));
	case OP_MASK:
		return is_mask(op);
	case OP_OVERLAY:
		return is_overlay(plan, op);
	case OP_INIT:
		return is_init(plan, op);
	case OP_SECCOMP:
		return is_filter(plan, op, 0);
	case OP_EXEC:
		return is_exec(plan, op);
	default:
		return true;
	}
}
