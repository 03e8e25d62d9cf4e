/* Apart from check.c: the launcher checks, but speaks in numbers. */
#include "plan/plan.h"

static const char *const texts[PLAN_FAULTS_END] = {
	[PLAN_FINE] = "nothing is wrong",
	[PLAN_STAGE_BACKWARDS] = "a stage is entered again after a later one",
	[PLAN_NOT_ONE_EXEC_LAST] = "EXEC or SERVE must stand once, and last",
	[PLAN_SLOT_MISUSED] = "a tree is used before it is opened, opened twice, or never placed",
	[PLAN_PATH_NOT_NORMAL] = "a path is not absolute and normal, or too long",
	[PLAN_WRITABLE_UNSAFE] = "a writable mount lacks nosuid or nodev",
	[PLAN_NO_NEW_PRIVS_LATE] = "NO_NEW_PRIVS is missing, or comes after what relies on it",
	[PLAN_AFTER_SECCOMP] = "SECCOMP must stand once, right before EXEC",
	[PLAN_NO_INVERSE] = "a change of the host has nothing that undoes it",
	[PLAN_LANDLOCK_ORDER] = "Landlock rules are not opened, filled and entered once, in that order",
	[PLAN_NO_SPAWN] = "SPAWN must stand once, and nothing that needs it without it",
	[PLAN_NO_CAPS_DROP] = "capabilities are never dropped",
	[PLAN_ROOT_ORDER] = "mounts need PRIVATE, then one new root, then PIVOT",
	[PLAN_TWICE] = "an operation stands twice that may stand once",
	[PLAN_FDS_LEFT] = "descriptors are not closed before SECCOMP",
	[PLAN_NAMESPACE_MISSING] = "an operation would change the host, for SPAWN makes no namespace for it",
	[PLAN_OPERAND_WRONG] = "an operand is out of range or not well formed",
};

const char *plan_fault_text(enum plan_fault fault)
{
	return (unsigned)fault < PLAN_FAULTS_END ? texts[fault] : "an unknown fault";
}
