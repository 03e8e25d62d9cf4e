/* Plans of executions, made from a template without a look at anything. */
#include "compile/compile.h"

#include "plan/build.h"
#include "unit/unit.h"

#include <linux/filter.h>
#include <sys/resource.h>

#define N(x) ((uint64_t)(x))

static struct arena arena;
static struct err err;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	memset(&err, 0, sizeof(err));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct text_vec list_of(const char *const *texts)
{
	struct text_vec list = { 0 };

	for (; *texts; texts++) {
		const char **slot = text_vec_add(&list, &arena);

		assert_non_null(slot);
		*slot = *texts;
	}
	return list;
}
#define LIST(...) list_of((const char *const[]){ __VA_ARGS__, NULL })

static struct plan template(void)
{
	static const struct sock_filter allow[] = { { 6, 0, 0, 0x7fff0000 } };
	struct text_vec regions = LIST("r/", "w/work"), patterns = LIST("w/work/.git/hooks"), whys = LIST("default", "--write", "default");
	struct text_vec paths = LIST("/bin/true"), argv = LIST("true"), env = LIST("PATH=/usr/bin:relative:/bin", "HOME=/root", "A=1");
	struct plan_build b;
	struct plan plan;

	plan_build_init(&b, &arena);
	plan_add(&b, OP_WATCH, "default", N(UINT64_MAX), N(1000), N(5000), N(0));
	plan_add(&b, OP_SESSION, "default");
	plan_add(&b, OP_TERMINAL, "default", N(7));
	plan_add(&b, OP_RLIMIT, "default", N(RLIMIT_NOFILE), N(100), N(100));
	plan_add(&b, OP_CHDIR, "default", "/work");
	plan_add(&b, OP_UMASK, "default", N(022));
	plan_add(&b, OP_NO_NEW_PRIVS, "default");
	plan_add(&b, OP_INIT, "default", allow, sizeof(allow), N(PLAN_INIT_TELL), &regions, &patterns, &whys);
	plan_add(&b, OP_CLOSE_FDS, "default");
	plan_add(&b, OP_SECCOMP, "default", allow, sizeof(allow), N(1));
	plan_add(&b, OP_EXEC, "default", &paths, &argv, &env);
	assert_int_equal(plan_build_done(&b, &plan, &err), 0);
	assert_true(plan_is_for_session(&plan));
	return plan;
}

static const struct plan_op *op_of(const struct plan *plan, enum plan_opcode code)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++)
		if (plan->op[i].code == code)
			return &plan->op[i];
	return NULL;
}

static void assert_list(const struct plan *plan, enum plan_opcode code, unsigned operand, const char *const *wanted)
{
	const char *s = NULL;

	for (; *wanted; wanted++) {
		s = plan_list_next(plan, op_of(plan, code), operand, s);
		assert_non_null(s);
		assert_string_equal(s, *wanted);
	}
	assert_null(plan_list_next(plan, op_of(plan, code), operand, s));
}
#define ASSERT_LIST(plan, code, operand, ...) assert_list(plan, code, operand, (const char *const[]){ __VA_ARGS__, NULL })

static int make(const struct compile_again *again, struct plan *ret_plan)
{
	struct plan from = template();

	return compile_exec(&from, again, &arena, ret_plan, &err);
}

static void test_what_differs(void **state)
{
	static const char *const argv[] = { "make", "-j", "2", NULL }, *const env[] = { "A=2", "B=3", "HOME", "B=4", NULL };
	struct plan plan;

	(void)state;
	assert_int_equal(
	    make(&(struct compile_again){ .argv = argv, .env = env, .cwd = "sub/../src", .timeout_ms = 7, .output_bytes = 9 }, &plan), 0);
	assert_int_equal(plan_number(op_of(&plan, OP_WATCH), 0), 7);
	assert_int_equal(plan_number(op_of(&plan, OP_WATCH), 1), 9);
	assert_int_equal(plan_number(op_of(&plan, OP_WATCH), 2), 5000);
	assert_null(op_of(&plan, OP_TERMINAL));
	assert_string_equal(plan_text(&plan, op_of(&plan, OP_CHDIR), 0), "/work/src");
	ASSERT_LIST(&plan, OP_EXEC, 0, "/usr/bin/make", "/bin/make");
	ASSERT_LIST(&plan, OP_EXEC, 1, "make", "-j", "2");
	ASSERT_LIST(&plan, OP_EXEC, 2, "PATH=/usr/bin:relative:/bin", "A=2", "B=4");
}

static void test_what_stays(void **state)
{
	static const char *const argv[] = { "./x", NULL };
	struct plan from = template(), plan;
	size_t n = 0;

	(void)state;
	assert_int_equal(make(&(struct compile_again){ .argv = argv, .terminal = 3 }, &plan), 0);
	assert_int_equal(plan.head->op_count, from.head->op_count);
	assert_int_equal(plan_number(op_of(&plan, OP_TERMINAL), 0), 3);
	assert_int_equal(plan_number(op_of(&plan, OP_WATCH), 0), UINT64_MAX);
	ASSERT_LIST(&plan, OP_INIT, 2, "r/", "w/work");
	ASSERT_LIST(&plan, OP_INIT, 3, "w/work/.git/hooks");
	assert_non_null(plan_blob(&plan, op_of(&plan, OP_SECCOMP), 0, &n));
	assert_int_equal(n, sizeof(struct sock_filter));
	ASSERT_LIST(&plan, OP_EXEC, 0, "/work/x");
	assert_int_equal(plan_check(&plan).fault, PLAN_FINE);
}

/* A path that an execution brings is the search path of its command, too. */
static void test_own_path(void **state)
{
	static const char *const argv[] = { "x", NULL }, *const env[] = { "PATH=/opt/bin", NULL },
				 *const none[] = { "PATH=relative", NULL };
	struct plan plan;

	(void)state;
	assert_int_equal(make(&(struct compile_again){ .argv = argv, .env = env }, &plan), 0);
	ASSERT_LIST(&plan, OP_EXEC, 0, "/opt/bin/x");
	assert_true(make(&(struct compile_again){ .argv = argv, .env = none }, &plan) < 0);
	assert_int_equal(err.code, ERR_NOTFOUND);
}

static void test_what_is_refused(void **state)
{
	static const char *const argv[] = { "x", NULL }, *const empty[] = { "", NULL }, *const env[] = { "=x", NULL };
	struct plan plan;

	(void)state;
	assert_true(make(&(struct compile_again){ .argv = empty }, &plan) < 0);
	assert_true(make(&(struct compile_again){ .argv = argv, .env = env }, &plan) < 0);
	assert_int_equal(err.code, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_differs),
		cmocka_unit_test(test_what_stays),
		cmocka_unit_test(test_own_path),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
