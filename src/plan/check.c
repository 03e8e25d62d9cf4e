/*
 * Theory of operation. A plan that plan_open accepted is well formed; plan_check says whether it is sane. Each rule is a
 * function of its own that looks at the whole plan and returns the index of the first operation that breaks it, FINE when none
 * does, or op_count when what is wrong is that something is missing. The launcher runs the same list before its first
 * deed, so there is no text here, no memory and no system call.
 */
#include "plan/plan.h"

#include "base/path.h"
#include "plan/operands.h"

#include <linux/sched.h>

#define FINE UINT32_MAX

/* What an operation does to the rules below. */
enum trait {
	OPENS_SLOT = 1,
	USES_SLOT = 2,
	TAKES_SLOT = 4, /* the slot is gone afterwards */
	ONCE = 8,
	STARTS_ROOT = 16,
	NEEDS_ROOT = 32,     /* works on the new root: without one it would work on the host's */
	NEEDS_NO_PRIVS = 64, /* only after NO_NEW_PRIVS */
	TAKES_SECOND = 128,  /* operand 1 is a slot as well, and gone afterwards */
};

static const struct {
	uint8_t traits;
	uint8_t flags;       /* operand that holds PLAN_TREE_ flags, 0: none (no operation has them first) */
	uint32_t namespaces; /* without these the operation would change the host */
} rules[OP_CODES_END] = {
	[OP_WATCH] = { .traits = ONCE },
	[OP_QUOTA] = { .traits = ONCE },
	[OP_HOST_TREE] = { .traits = OPENS_SLOT, .flags = 2 },
	[OP_TREE_IDMAP] = { .traits = USES_SLOT },
	[OP_WARDEN_USER] = { .traits = ONCE },
	[OP_IDMAP] = { .traits = ONCE, .namespaces = CLONE_NEWUSER },
	[OP_BECOME] = { .traits = ONCE, .namespaces = CLONE_NEWUSER },
	[OP_PRIVATE] = { .traits = ONCE, .namespaces = CLONE_NEWNS },
	[OP_TREE] = { .traits = OPENS_SLOT, .flags = 2 },
	[OP_ROOT_NEW] = { .traits = STARTS_ROOT, .namespaces = CLONE_NEWNS },
	[OP_ROOT_TREE] = { .traits = STARTS_ROOT | TAKES_SLOT, .namespaces = CLONE_NEWNS },
	[OP_DIR] = { .traits = NEEDS_ROOT },
	[OP_FILE] = { .traits = NEEDS_ROOT },
	[OP_LINK] = { .traits = NEEDS_ROOT },
	[OP_TMPFS] = { .traits = NEEDS_ROOT, .flags = 1 },
	[OP_PROC] = { .traits = NEEDS_ROOT, .namespaces = CLONE_NEWPID },
	[OP_DEVPTS] = { .traits = NEEDS_ROOT },
	[OP_MQUEUE] = { .traits = NEEDS_ROOT, .namespaces = CLONE_NEWIPC },
	[OP_EMPTY] = { .traits = NEEDS_ROOT | OPENS_SLOT },
	[OP_OVERLAY] = { .traits = ONCE | NEEDS_ROOT | USES_SLOT | TAKES_SECOND, .namespaces = CLONE_NEWNS },
	[OP_PLACE] = { .traits = NEEDS_ROOT | TAKES_SLOT },
	[OP_REBIND] = { .traits = NEEDS_ROOT, .flags = 1 },
	[OP_MASK] = { .traits = NEEDS_ROOT },
	[OP_COVER] = { .traits = NEEDS_ROOT },
	[OP_REMOUNT] = { .traits = NEEDS_ROOT, .flags = 1 },
	[OP_SYSCTL] = { .namespaces = CLONE_NEWUSER },
	[OP_EGRESS] = { .traits = ONCE },
	[OP_LISTEN] = { .namespaces = CLONE_NEWNET },
	[OP_REDIRECT] = { .traits = ONCE, .namespaces = CLONE_NEWNET },
	[OP_LOOPBACK] = { .traits = ONCE, .namespaces = CLONE_NEWNET },
	[OP_PIVOT] = { .traits = ONCE, .namespaces = CLONE_NEWNS },
	[OP_AWAIT] = { .traits = ONCE },
	[OP_HOSTNAME] = { .traits = ONCE, .namespaces = CLONE_NEWUTS },
	[OP_SESSION] = { .traits = ONCE },
	[OP_TERMINAL] = { .traits = ONCE },
	[OP_CHDIR] = { .traits = ONCE },
	[OP_UMASK] = { .traits = ONCE },
	[OP_IDS] = { .traits = ONCE },
	[OP_CAPS_DROP] = { .traits = ONCE },
	[OP_NO_NEW_PRIVS] = { .traits = ONCE },
	[OP_LANDLOCK_ENTER] = { .traits = NEEDS_NO_PRIVS },
	[OP_INIT] = { .traits = ONCE | NEEDS_NO_PRIVS },
	[OP_CLOSE_FDS] = { .traits = ONCE },
	[OP_SECCOMP] = { .traits = ONCE | NEEDS_NO_PRIVS },
	[OP_SERVE] = { .traits = ONCE | NEEDS_NO_PRIVS, .namespaces = CLONE_NEWPID },
};

static bool has_trait(const struct plan_op *op, enum trait trait)
{
	return rules[op->code].traits & trait;
}

/* The first operation of this code at or after `from`; op_count when there is none. */
static uint32_t find(const struct plan *plan, enum plan_opcode code, uint32_t from)
{
	while (from < plan->head->op_count && plan->op[from].code != code)
		from++;
	return from;
}

static uint32_t check_stages(const struct plan *plan)
{
	for (uint32_t i = 1; i < plan->head->op_count; i++)
		if (plan_op_info(plan->op[i].code)->stage < plan_op_info(plan->op[i - 1].code)->stage)
			return i;
	return FINE;
}

static bool ends_in(const struct plan *plan, enum plan_opcode code)
{
	uint32_t n = plan->head->op_count;

	return n > 0 && plan->op[n - 1].code == code;
}

static uint32_t check_exec(const struct plan *plan)
{
	enum plan_opcode end = ends_in(plan, OP_SERVE) ? OP_SERVE : OP_EXEC;
	uint32_t n = plan->head->op_count, i = find(plan, end, 0), other = find(plan, end == OP_EXEC ? OP_SERVE : OP_EXEC, 0);

	if (other < n)
		return other;
	return n > 0 && i == n - 1 ? FINE : i;
}

bool plan_is_for_session(const struct plan *plan)
{
	return find(plan, OP_SPAWN, 0) == plan->head->op_count;
}

/* Where the sandbox is another plan's, nothing is left to make of it, and nothing on the host: the engine may watch. */
static uint32_t check_for_session(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		unsigned code = plan->op[i].code;

		if ((plan_op_info(code)->stage < PLAN_SHED && code != OP_WATCH && code != OP_QUOTA) || code == OP_SERVE)
			return i;
	}
	return FINE;
}

static uint32_t check_spawn(const struct plan *plan)
{
	uint32_t n = plan->head->op_count, first = find(plan, OP_SPAWN, 0);

	if (first == n)
		return check_for_session(plan);

	uint32_t second = find(plan, OP_SPAWN, first + 1);

	return second == n ? FINE : second;
}

struct slots {
	enum { SLOT_NEW, SLOT_OPEN, SLOT_GONE } state[PLAN_SLOTS_MAX];
	uint32_t left;
};

static bool open_slot(struct slots *slots, uint64_t slot)
{
	bool fits = slots->state[slot] == SLOT_NEW;

	slots->state[slot] = SLOT_OPEN;
	slots->left++;
	return fits;
}

static bool use_slot(struct slots *slots, uint64_t slot, bool takes)
{
	bool fits = slots->state[slot] == SLOT_OPEN;

	slots->state[slot] = takes ? SLOT_GONE : SLOT_OPEN;
	slots->left -= takes;
	return fits;
}

/* Operand 0 is the slot of all that have one. */
static bool slots_fit(struct slots *slots, const struct plan_op *op)
{
	if (has_trait(op, OPENS_SLOT))
		return open_slot(slots, op->arg[0]);
	if (has_trait(op, TAKES_SECOND) && !use_slot(slots, op->arg[1], true))
		return false;
	if (has_trait(op, USES_SLOT) || has_trait(op, TAKES_SLOT))
		return use_slot(slots, op->arg[0], has_trait(op, TAKES_SLOT));
	return true;
}

static uint32_t check_slots(const struct plan *plan)
{
	struct slots slots = { 0 };

	for (uint32_t i = 0; i < plan->head->op_count; i++)
		if (!slots_fit(&slots, &plan->op[i]))
			return i;
	return slots.left ? plan->head->op_count : FINE;
}

static bool has_bad_path(const struct plan *plan, const struct plan_op *op)
{
	const char *kinds = plan_op_info(op->code)->operands;

	for (unsigned i = 0; kinds[i]; i++)
		if ((kinds[i] == 'h' || kinds[i] == 'p') && !operand_is_path(plan_text(plan, op, i)))
			return true;
	return false;
}

static uint32_t check_paths(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++)
		if (has_bad_path(plan, &plan->op[i]))
			return i;
	return FINE;
}

static uint32_t check_writable(const struct plan *plan)
{
	const uint64_t safe = PLAN_TREE_NOSUID | PLAN_TREE_NODEV;

	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		unsigned operand = rules[plan->op[i].code].flags;
		uint64_t flags = plan->op[i].arg[operand];

		if (operand && !(flags & PLAN_TREE_RO) && (flags & safe) != safe)
			return i;
	}
	return FINE;
}

static uint32_t check_privs(const struct plan *plan)
{
	bool shed = false;

	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		if (has_trait(&plan->op[i], NEEDS_NO_PRIVS) && !shed)
			return i;
		shed = shed || plan->op[i].code == OP_NO_NEW_PRIVS;
	}
	return shed ? FINE : plan->head->op_count;
}

static uint32_t check_after_seccomp(const struct plan *plan)
{
	uint32_t n = plan->head->op_count, i = find(plan, OP_SECCOMP, 0);

	if (ends_in(plan, OP_SERVE))
		return i == n ? FINE : i; /* it would hold for all that come of it */
	if (i == n)
		return n;
	return i + 2 == n ? FINE : i + 1;
}

static uint32_t check_fds(const struct plan *plan)
{
	uint32_t filter = find(plan, OP_SECCOMP, 0), i = find(plan, OP_CLOSE_FDS, 0);

	return i < filter || ends_in(plan, OP_SERVE) ? FINE : i;
}

/* A limit is undone with its cgroup: so the cgroup must be the run's own. */
static bool is_made(const struct plan *plan, uint32_t end, const char *file)
{
	for (uint32_t i = 0; i < end; i++) {
		const struct plan_op *op = &plan->op[i];

		if (op->code == OP_CGROUP_MAKE && path_within(file, plan_text(plan, op, 1)))
			return true;
	}
	return false;
}

static uint32_t check_inverses(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		const struct plan_op *op = &plan->op[i];
		const struct plan_op_info *info = plan_op_info(op->code);

		if (info->stage == PLAN_PREPARE && info->inverse == PLAN_INVERSE_NONE)
			return i;
		if (info->inverse == PLAN_INVERSE_WITH_MAKE && !is_made(plan, i, plan_text(plan, op, 0)))
			return i;
	}
	return FINE;
}

static uint32_t check_landlock(const struct plan *plan)
{
	enum { NOT_YET, OPEN, ENTERED } state = NOT_YET;

	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		unsigned code = plan->op[i].code;
		bool opens = code == OP_LANDLOCK_OPEN, enters = code == OP_LANDLOCK_ENTER;

		if (!opens && !enters && code != OP_LANDLOCK_PATH)
			continue;
		if (state != (opens ? NOT_YET : OPEN))
			return i;
		state = enters ? ENTERED : OPEN;
	}
	return state == OPEN ? plan->head->op_count : FINE;
}

static uint32_t check_caps(const struct plan *plan)
{
	uint32_t n = plan->head->op_count;

	return find(plan, OP_CAPS_DROP, 0) < n || plan_is_for_session(plan) ? FINE : n;
}

/* No root yet, one under construction, or entered. Mounts are made private before there is one. */
static uint32_t check_root(const struct plan *plan)
{
	bool private = false, root = false, entered = false;

	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		const struct plan_op *op = &plan->op[i];
		bool starts = has_trait(op, STARTS_ROOT);

		if (starts && (root || !private))
			return i;
		if ((has_trait(op, NEEDS_ROOT) || op->code == OP_PIVOT) && !root)
			return i;
		private = private || op->code == OP_PRIVATE;
		root = root || starts;
		entered = entered || op->code == OP_PIVOT;
	}
	return root && !entered ? plan->head->op_count : FINE;
}

static uint32_t check_once(const struct plan *plan)
{
	bool seen[OP_CODES_END] = { false };

	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		const struct plan_op *op = &plan->op[i];

		if (has_trait(op, ONCE) && seen[op->code])
			return i;
		seen[op->code] = true;
	}
	return FINE;
}

static uint32_t check_namespaces(const struct plan *plan)
{
	uint64_t made = 0;

	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		const struct plan_op *op = &plan->op[i];

		if (op->code == OP_SPAWN)
			made = plan_number(op, 0);
		if (rules[op->code].namespaces & ~made)
			return i;
	}
	return FINE;
}

static uint32_t check_operands(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++)
		if (!operands_fit(plan, &plan->op[i]))
			return i;
	return FINE;
}

static const struct {
	enum plan_fault fault;
	uint32_t (*check)(const struct plan *plan);
} checks[] = {
	{ PLAN_STAGE_BACKWARDS, check_stages },
	{ PLAN_NOT_ONE_EXEC_LAST, check_exec },
	{ PLAN_NO_SPAWN, check_spawn },
	{ PLAN_TWICE, check_once },
	{ PLAN_PATH_NOT_NORMAL, check_paths },
	{ PLAN_SLOT_MISUSED, check_slots },
	{ PLAN_WRITABLE_UNSAFE, check_writable },
	{ PLAN_NO_INVERSE, check_inverses },
	{ PLAN_ROOT_ORDER, check_root },
	{ PLAN_NAMESPACE_MISSING, check_namespaces },
	{ PLAN_NO_CAPS_DROP, check_caps },
	{ PLAN_NO_NEW_PRIVS_LATE, check_privs },
	{ PLAN_LANDLOCK_ORDER, check_landlock },
	{ PLAN_AFTER_SECCOMP, check_after_seccomp },
	{ PLAN_FDS_LEFT, check_fds },
	{ PLAN_OPERAND_WRONG, check_operands },
};

struct plan_verdict plan_check(const struct plan *plan)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		uint32_t at = checks[i].check(plan);

		if (at != FINE)
			return (struct plan_verdict){ checks[i].fault, at };
	}
	return (struct plan_verdict){ PLAN_FINE, plan->head->op_count };
}
