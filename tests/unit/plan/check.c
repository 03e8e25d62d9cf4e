#include "plan/plan.h"

#include "plan/print.h"
#include "unit/plan/draft.h"

#include <stdlib.h>

static void test_sane(void **state)
{
	struct plan plan = sample_plan(&arena), small = small_plan(&arena);

	(void)state;
	assert_int_equal(plan_check(&plan).fault, PLAN_FINE);
	assert_int_equal(plan_check(&small).fault, PLAN_FINE);
}

static void test_texts(void **state)
{
	(void)state;
	for (unsigned fault = 0; fault < PLAN_FAULTS_END; fault++) {
		assert_non_null(plan_fault_text(fault));
		assert_true(strlen(plan_fault_text(fault)) > 10);
	}
	assert_non_null(plan_fault_text(PLAN_FAULTS_END));
}

static void without(enum plan_opcode code, enum plan_fault fault)
{
	struct draft d = SAMPLE;

	drop(&d, at(&d, code));
	wants(&d, fault, ABSENT);
}

static void twice(enum plan_opcode code, enum plan_fault fault)
{
	struct draft d = SAMPLE;

	insert(&d, at(&d, code) + 1, d.op[at(&d, code)]);
	wants(&d, fault, at(&d, code) + 1);
}

static void test_missing(void **state)
{
	(void)state;
	without(OP_EXEC, PLAN_NOT_ONE_EXEC_LAST);
	without(OP_CAPS_DROP, PLAN_NO_CAPS_DROP);
	without(OP_PIVOT, PLAN_ROOT_ORDER);
	without(OP_CLOSE_FDS, PLAN_FDS_LEFT);
	without(OP_SECCOMP, PLAN_AFTER_SECCOMP);
	without(OP_LANDLOCK_ENTER, PLAN_LANDLOCK_ORDER);

	struct draft d = SAMPLE;

	d.head.op_count = 0;
	wants(&d, PLAN_NOT_ONE_EXEC_LAST, ABSENT);

	d = SAMPLE;
	drop(&d, at(&d, OP_NO_NEW_PRIVS));
	wants(&d, PLAN_NO_NEW_PRIVS_LATE, at(&d, OP_LANDLOCK_ENTER));
	d = SAMPLE;
	drop(&d, at(&d, OP_LANDLOCK_OPEN));
	wants(&d, PLAN_LANDLOCK_ORDER, at(&d, OP_LANDLOCK_PATH));
	d = SAMPLE;
	drop(&d, at(&d, OP_ROOT_NEW));
	wants(&d, PLAN_ROOT_ORDER, at(&d, OP_DIR));
	d = SAMPLE;
	drop(&d, at(&d, OP_PRIVATE));
	wants(&d, PLAN_ROOT_ORDER, at(&d, OP_ROOT_NEW));
	d = SAMPLE;
	drop(&d, at(&d, OP_CGROUP_MAKE)); /* the limit would outlive the run */
	wants(&d, PLAN_NO_INVERSE, at(&d, OP_CGROUP_SET));
}

static void test_twice(void **state)
{
	static const enum plan_opcode once[] = {
		OP_WATCH,    OP_WARDEN_USER, OP_IDMAP, OP_BECOME, OP_PRIVATE,   OP_LOOPBACK,     OP_PIVOT,     OP_HOSTNAME, OP_SESSION,
		OP_TERMINAL, OP_CHDIR,       OP_UMASK, OP_INIT,   OP_CAPS_DROP, OP_NO_NEW_PRIVS, OP_CLOSE_FDS, OP_SECCOMP,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		twice(once[i], PLAN_TWICE);
	twice(OP_SPAWN, PLAN_NO_SPAWN);
	twice(OP_ROOT_NEW, PLAN_ROOT_ORDER);
	twice(OP_LANDLOCK_OPEN, PLAN_LANDLOCK_ORDER);
	twice(OP_LANDLOCK_ENTER, PLAN_LANDLOCK_ORDER);
	twice(OP_TREE, PLAN_SLOT_MISUSED);
	twice(OP_PLACE, PLAN_SLOT_MISUSED);

	struct draft d = SAMPLE;
	uint32_t exec = at(&d, OP_EXEC);

	insert(&d, exec, d.op[exec]);
	wants(&d, PLAN_NOT_ONE_EXEC_LAST, exec);
}

static void test_order(void **state)
{
	struct draft d = SAMPLE;

	(void)state;
	move(&d, OP_HOSTNAME, OP_PIVOT);
	wants(&d, PLAN_STAGE_BACKWARDS, at(&d, OP_PIVOT));
	d = SAMPLE;
	move(&d, OP_SECCOMP, OP_CLOSE_FDS);
	wants(&d, PLAN_AFTER_SECCOMP, at(&d, OP_CLOSE_FDS));
	d = SAMPLE;
	move(&d, OP_LANDLOCK_ENTER, OP_NO_NEW_PRIVS);
	wants(&d, PLAN_NO_NEW_PRIVS_LATE, at(&d, OP_LANDLOCK_ENTER));
	d = SAMPLE;
	move(&d, OP_LANDLOCK_ENTER, OP_LANDLOCK_PATH);
	wants(&d, PLAN_LANDLOCK_ORDER, at(&d, OP_LANDLOCK_PATH));
	d = SAMPLE;
	move(&d, OP_PLACE, OP_TREE);
	wants(&d, PLAN_SLOT_MISUSED, at(&d, OP_PLACE));
	d = SAMPLE;
	move(&d, OP_DIR, OP_ROOT_NEW);
	wants(&d, PLAN_ROOT_ORDER, at(&d, OP_DIR));
	d = SAMPLE;
	move(&d, OP_CLOSE_FDS, OP_CAPS_DROP);
	wants(&d, PLAN_STAGE_BACKWARDS, at(&d, OP_CAPS_DROP));
	d = SAMPLE;
	move(&d, OP_TREE_IDMAP, OP_HOST_TREE);
	wants(&d, PLAN_SLOT_MISUSED, at(&d, OP_TREE_IDMAP));
}

static void test_slot_left_open(void **state)
{
	struct draft d = SAMPLE;

	(void)state;
	drop(&d, at(&d, OP_PLACE));
	wants(&d, PLAN_SLOT_MISUSED, ABSENT);
}

/* The tree that the layers are in is gone afterwards, the other one is the overlay. */
static void test_overlay(void **state)
{
	static const struct {
		uint64_t base, held;
		const char *upper, *work, *layer;
		int r;
	} tries[] = {
		{ 0, 1, "/u", "/w", "/l", 0 },       { 1, 0, "/u", "/w", "/l", -EINVAL },    { 0, 0, "/u", "/w", "/l", -EINVAL },
		{ 0, 1, "/u", "/u", "/l", -EINVAL }, { 0, 1, "u", "/w", "/l", -EINVAL },     { 0, 1, "/u", "/../w", "/l", -EINVAL },
		{ 0, 1, "/u", "/w", "l", -EINVAL },  { 0, 1, "/u", "/w", "/l/..", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct plan_build b;
		struct plan plan;
		unsigned base, held;

		plan_build_init(&b, &arena);
		base = plan_build_slot(&b);
		held = plan_build_slot(&b);
		plan_add(&b, OP_SPAWN, "", N(SAMPLE_NAMESPACES));
		plan_add(&b, OP_PRIVATE, "");
		plan_add(&b, OP_TREE, "", N(held), "/data", N(SAMPLE_SAFE), N(0), N(0));
		plan_add(&b, OP_ROOT_NEW, "", N(65536), N(1024));
		plan_add(&b, OP_EMPTY, "", N(base));
		plan_add(&b, OP_OVERLAY, "", tries[i].base, tries[i].held, LIST(tries[i].layer), tries[i].upper, tries[i].work);
		plan_add(&b, OP_PLACE, "", N(base), "/ws");
		plan_add(&b, OP_PIVOT, "");
		small_plan_rest(&b);
		assert_int_equal(plan_build_done(&b, &plan, NULL), tries[i].r);
	}
}

static void test_paths(void **state)
{
	static const char *const bad[] = { "/a/../b", "relative", "/a/", "/a//b", "/.", "" };
	char longer[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct plan_build b;
		struct plan plan;
		struct err err;

		plan_build_init(&b, &arena);
		plan_add(&b, OP_CGROUP_MAKE, "--x", N(0), bad[i]);
		small_plan_ops(&b);
		assert_int_equal(plan_build_done(&b, &plan, &err), -EINVAL);
		assert_int_equal(err.code, ERR_INTERNAL);
		assert_string_equal(err.where, "--x");
		assert_non_null(strstr(err.text, "a path is not absolute and normal"));
	}

	struct plan_build b;
	struct plan plan;

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < sizeof(longer); i += 100)
		longer[i] = '/';
	plan_build_init(&b, &arena);
	plan_add(&b, OP_CGROUP_MAKE, "--x", N(0), longer);
	small_plan_ops(&b);
	assert_int_equal(plan_build_done(&b, &plan, NULL), -EINVAL);
}

static void flags_of(enum plan_opcode code, unsigned operand, uint64_t flags, enum plan_fault fault)
{
	struct draft d = SAMPLE;
	uint32_t i = at(&d, code);

	d.op[i].arg[operand] = flags;
	wants(&d, fault, fault == PLAN_FINE ? ABSENT : i);
}

static void test_writable(void **state)
{
	static const struct {
		enum plan_opcode code;
		unsigned operand;
	} mounts[] = { { OP_HOST_TREE, 2 }, { OP_TREE, 2 }, { OP_TMPFS, 1 }, { OP_REBIND, 1 }, { OP_REMOUNT, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		flags_of(mounts[i].code, mounts[i].operand, 0, PLAN_WRITABLE_UNSAFE);
		flags_of(mounts[i].code, mounts[i].operand, PLAN_TREE_NOSUID, PLAN_WRITABLE_UNSAFE);
		flags_of(mounts[i].code, mounts[i].operand, PLAN_TREE_NODEV | PLAN_TREE_NOEXEC, PLAN_WRITABLE_UNSAFE);
		flags_of(mounts[i].code, mounts[i].operand, PLAN_TREE_RO, PLAN_FINE);
		flags_of(mounts[i].code, mounts[i].operand, SAMPLE_SAFE, PLAN_FINE);
		flags_of(mounts[i].code, mounts[i].operand, PLAN_TREE_RO | 128, PLAN_OPERAND_WRONG);
		flags_of(mounts[i].code, mounts[i].operand, PLAN_TREE_RO | 1ull << 40, PLAN_OPERAND_WRONG);
	}
}

static void test_namespaces(void **state)
{
	static const struct {
		uint64_t namespace;
		enum plan_opcode first;
	} needs[] = {
		{ CLONE_NEWUSER, OP_IDMAP }, { CLONE_NEWNS, OP_PRIVATE },   { CLONE_NEWPID, OP_PROC },
		{ CLONE_NEWIPC, OP_MQUEUE }, { CLONE_NEWNET, OP_LOOPBACK }, { CLONE_NEWUTS, OP_HOSTNAME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		struct draft d = SAMPLE;

		d.op[at(&d, OP_SPAWN)].arg[0] &= ~needs[i].namespace;
		wants(&d, PLAN_NAMESPACE_MISSING, at(&d, needs[i].first));
	}
}

static void test_operands(void **state)
{
	(void)state;
	flags_of(OP_SPAWN, 0, SAMPLE_NAMESPACES | CLONE_VM, PLAN_OPERAND_WRONG);
	flags_of(OP_SPAWN, 0, SAMPLE_NAMESPACES | 1ull << 40, PLAN_OPERAND_WRONG);
	flags_of(OP_CGROUP_MAKE, 0, PLAN_CGROUP_V1_FREEZER + 1, PLAN_OPERAND_WRONG);
	flags_of(OP_WARDEN_USER, 0, 0, PLAN_OPERAND_WRONG); /* root stays root */
	flags_of(OP_WARDEN_USER, 0, UINT32_MAX, PLAN_OPERAND_WRONG);
	flags_of(OP_WARDEN_USER, 1, 1ull << 32, PLAN_OPERAND_WRONG);
	flags_of(OP_BECOME, 0, UINT32_MAX, PLAN_OPERAND_WRONG);
	flags_of(OP_DIR, 1, 010000, PLAN_OPERAND_WRONG);
	flags_of(OP_MASK, 1, 0, PLAN_OPERAND_WRONG);
	flags_of(OP_MASK, 1, 3, PLAN_OPERAND_WRONG);
	flags_of(OP_MASK, 1, PLAN_MASK_OPTIONAL, PLAN_OPERAND_WRONG);
	flags_of(OP_MASK, 1, PLAN_MASK_FILE | PLAN_MASK_OPTIONAL, PLAN_FINE);
	flags_of(OP_MASK, 1, PLAN_MASK_FILE | 8, PLAN_OPERAND_WRONG);
	flags_of(OP_PROC, 1, 8, PLAN_OPERAND_WRONG);
	flags_of(OP_TERMINAL, 0, 8, PLAN_OPERAND_WRONG);
	flags_of(OP_RLIMIT, 0, 16, PLAN_OPERAND_WRONG);
	flags_of(OP_UMASK, 0, 01000, PLAN_OPERAND_WRONG);
	flags_of(OP_LANDLOCK_OPEN, 0, 0, PLAN_OPERAND_WRONG);
	flags_of(OP_INIT, 1, 64, PLAN_OPERAND_WRONG);
	flags_of(OP_SECCOMP, 1, 2, PLAN_OPERAND_WRONG);
}

/* A small plan whose lists and filters are the caller's. */
struct lists {
	const struct text_vec *regions, *patterns, *whys, *candidates, *argv, *env;
	size_t init_len, filter_len;
	const char *sysctl;
};
static const struct lists fine = { .init_len = sizeof(sample_filter), .filter_len = sizeof(sample_filter) };

static enum plan_fault fault_of(const struct lists *l)
{
	static const struct sock_filter filter[4097];
	struct plan_build b;
	struct plan plan;
	struct err err = { 0 };
	const void *bytes = filter;

	plan_build_init(&b, &arena);
	plan_add(&b, OP_SPAWN, "", N(CLONE_NEWUSER));
	plan_add(&b, OP_SYSCTL, "", l->sysctl ? l->sysctl : "user/x", "0");
	plan_add(&b, OP_CAPS_DROP, "");
	plan_add(&b, OP_NO_NEW_PRIVS, "");
	plan_add(&b, OP_INIT, "", bytes, l->init_len, N(0), l->regions ? l->regions : EMPTY_LIST, l->patterns ? l->patterns : EMPTY_LIST,
	         l->whys ? l->whys : EMPTY_LIST);
	plan_add(&b, OP_CLOSE_FDS, "");
	plan_add(&b, OP_SECCOMP, "", bytes, l->filter_len, N(0));
	plan_add(&b, OP_EXEC, "", l->candidates ? l->candidates : LIST("/bin/true"), l->argv ? l->argv : LIST("true"),
	         l->env ? l->env : EMPTY_LIST);
	if (plan_build_done(&b, &plan, &err) == 0)
		return PLAN_FINE;
	for (unsigned fault = 1; fault < PLAN_FAULTS_END; fault++)
		if (strstr(err.text, plan_fault_text(fault)))
			return fault;
	return PLAN_FAULTS_END;
}

#define WANTS(fault, ...)                                     \
	do {                                                  \
		struct lists lists = fine;                    \
		const struct lists changed = { __VA_ARGS__ }; \
		merge(&lists, &changed);                      \
		assert_int_equal(fault_of(&lists), fault);    \
	} while (0)

static void merge(struct lists *l, const struct lists *changed)
{
	size_t init_len = l->init_len, filter_len = l->filter_len;

	*l = *changed;
	if (!l->init_len)
		l->init_len = init_len;
	if (!l->filter_len)
		l->filter_len = filter_len;
}

static void test_lists(void **state)
{
	(void)state;
	WANTS(PLAN_FINE, .argv = LIST("true"));
	WANTS(PLAN_FINE, .argv = LIST("", "", ""));
	WANTS(PLAN_FINE, .env = LIST("A=", "B=c=d"));
	WANTS(PLAN_OPERAND_WRONG, .candidates = EMPTY_LIST);
	WANTS(PLAN_OPERAND_WRONG, .candidates = LIST("/bin/true", "true"));
	WANTS(PLAN_OPERAND_WRONG, .candidates = LIST("/bin/../true"));
	WANTS(PLAN_OPERAND_WRONG, .argv = EMPTY_LIST);
	WANTS(PLAN_OPERAND_WRONG, .env = LIST("A=b", "noequals"));
	WANTS(PLAN_OPERAND_WRONG, .env = LIST("=value"));
	WANTS(PLAN_OPERAND_WRONG, .env = LIST(""));
	WANTS(PLAN_FINE, .regions = LIST("r/", "w/a"), .patterns = LIST("w/**/x", "+/a/x"), .whys = LIST("1", "2", "3", "4"));
	WANTS(PLAN_OPERAND_WRONG, .regions = LIST("r/", "w/a"), .whys = LIST("1"));
	WANTS(PLAN_OPERAND_WRONG, .whys = LIST("1"));
	WANTS(PLAN_OPERAND_WRONG, .regions = LIST("x/a"), .whys = LIST("1"));
	WANTS(PLAN_OPERAND_WRONG, .regions = LIST("/a"), .whys = LIST("1"));
	WANTS(PLAN_OPERAND_WRONG, .regions = LIST(""), .whys = LIST("1"));
	WANTS(PLAN_OPERAND_WRONG, .regions = LIST("w/a/"), .whys = LIST("1"));
	WANTS(PLAN_OPERAND_WRONG, .regions = LIST("w/b", "w/a"), .whys = LIST("1", "2"));
	WANTS(PLAN_OPERAND_WRONG, .regions = LIST("w/a", "h/a"), .whys = LIST("1", "2"));
	WANTS(PLAN_OPERAND_WRONG, .patterns = LIST("wx"), .whys = LIST("1"));
	WANTS(PLAN_OPERAND_WRONG, .patterns = LIST("h/x"), .whys = LIST("1"));
	WANTS(PLAN_OPERAND_WRONG, .init_len = 7);
	WANTS(PLAN_OPERAND_WRONG, .filter_len = 9);
	WANTS(PLAN_FINE, .filter_len = 4096 * sizeof(struct sock_filter));
	WANTS(PLAN_OPERAND_WRONG, .filter_len = 4097 * sizeof(struct sock_filter));
	WANTS(PLAN_OPERAND_WRONG, .sysctl = "../../etc/passwd");
	WANTS(PLAN_OPERAND_WRONG, .sysctl = "/kernel/core_pattern");
	WANTS(PLAN_OPERAND_WRONG, .sysctl = "");
}

/* Whatever the operations and their order, there is an answer, and it points at an operation or behind the last. */
static void test_total(void **state)
{
	struct plan plan = sample_plan(&arena);
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct draft d = draft_of(plan);

		for (uint32_t i = 0; i < 1 + (uint32_t)round % 40; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;

			uint32_t a = (uint32_t)(random >> 33) % d.head.op_count, b = (uint32_t)(random >> 13) % d.head.op_count;
			struct plan_op op = d.op[a];

			d.op[a] = d.op[b];
			d.op[b] = op;
		}
		d.plan.head = &d.head;
		d.plan.op = d.op;

		struct plan_verdict verdict = plan_check(&d.plan);

		assert_true(verdict.fault < PLAN_FAULTS_END);
		assert_true(verdict.op <= d.head.op_count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sane),       cmocka_unit_test(test_texts),    cmocka_unit_test(test_missing),
		cmocka_unit_test(test_twice),      cmocka_unit_test(test_order),    cmocka_unit_test(test_slot_left_open),
		cmocka_unit_test(test_paths),      cmocka_unit_test(test_overlay),  cmocka_unit_test(test_writable),
		cmocka_unit_test(test_namespaces), cmocka_unit_test(test_operands), cmocka_unit_test(test_lists),
		cmocka_unit_test(test_total),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
