/* The writer of BPF programs, past the distances that real filters reach today. */
#include "compile/bpf_code.h"

#include "unit/compile/bpf_machine.h"
#include "unit/unit.h"

static struct machine run(const struct bpf_code *code, int nr, __u64 argument)
{
	struct seccomp_data data = { .nr = nr, .args = { argument } };

	return machine_run(bpf_code_start(code), code->n, &data);
}

static void test_one_comparison(void **state)
{
	static const struct {
		uint16_t test;
		uint32_t k;
		int number;
		bool holds;
	} cases[] = {
		{ BPF_JEQ, 5, 5, true },  { BPF_JEQ, 5, 6, false },  { BPF_JGE, 5, 5, true },
		{ BPF_JGE, 5, 4, false }, { BPF_JGT, 5, 6, true },   { BPF_JGT, 5, 5, false },
		{ BPF_JSET, 6, 4, true }, { BPF_JSET, 6, 9, false }, { BPF_JGE, 5, -1, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bpf_code code;
		unsigned yes, no;

		bpf_code_init(&code);
		no = bpf_return(&code, 1);
		yes = bpf_return(&code, 2);
		bpf_load(&code, 0, bpf_if(&code, cases[i].test, cases[i].k, yes, no));
		assert_int_equal(code.n, 4);
		assert_int_equal(run(&code, cases[i].number, 0).verdict, cases[i].holds ? 2 : 1);
	}
}

static void test_mask(void **state)
{
	struct bpf_code code;
	unsigned yes, no;

	(void)state;
	bpf_code_init(&code);
	no = bpf_return(&code, 1);
	yes = bpf_return(&code, 2);
	bpf_load(&code, 0, bpf_mask(&code, 0xf0, bpf_if(&code, BPF_JEQ, 0x30, yes, no)));
	assert_int_equal(run(&code, 0x1f3f, 0).verdict, 2);
	assert_int_equal(run(&code, 0x1f4f, 0).verdict, 1);
}

static void test_no_question_where_there_is_one_answer(void **state)
{
	struct bpf_code code;
	unsigned only;

	(void)state;
	bpf_code_init(&code);
	only = bpf_return(&code, 1);
	assert_int_equal(bpf_if(&code, BPF_JEQ, 7, only, only), only);
	assert_int_equal(code.n, 1);
}

/* A load whose successor is not the newest instruction. */
static void test_runs_on_to_an_older_place(void **state)
{
	struct bpf_code code;
	unsigned wanted;

	(void)state;
	bpf_code_init(&code);
	wanted = bpf_return(&code, 1);
	bpf_return(&code, 2);
	bpf_load(&code, 0, wanted);
	assert_int_equal(run(&code, 0, 0).verdict, 1);
}

/* COUNT rules of their own, a tree over all: with verdicts and rules far out of a jump's reach. */

enum { COUNT = 240 };

static unsigned branch(struct bpf_code *code, const unsigned *place, int from, int to)
{
	int middle = from + (to - from) / 2;
	unsigned above, below;

	if (to - from == 1)
		return place[from];
	above = branch(code, place, middle, to);
	below = branch(code, place, from, middle);
	return bpf_if(code, BPF_JGE, (uint32_t)middle, above, below);
}

static void test_bridges(void **state)
{
	struct bpf_code code;
	unsigned place[COUNT], yes, no;

	(void)state;
	bpf_code_init(&code);
	no = bpf_return(&code, 1);
	yes = bpf_return(&code, 2);
	for (unsigned i = 0; i < COUNT; i++)
		place[i] = i % 3 ? bpf_load(&code, 16, bpf_if(&code, BPF_JEQ, i, yes, no)) : i % 2 ? yes : no;
	bpf_load(&code, 0, branch(&code, place, 0, COUNT));

	assert_false(code.full);
	assert_true(code.n > 512);
	assert_true(machine_all_reached(bpf_code_start(&code), code.n));
	for (int nr = 0; nr < COUNT; nr++) {
		uint32_t plain = nr % 2 ? 2 : 1;

		assert_int_equal(run(&code, nr, (__u64)nr).verdict, nr % 3 ? 2 : plain);
		assert_int_equal(run(&code, nr, (__u64)nr + 1).verdict, nr % 3 ? 1 : plain);
		assert_false(run(&code, nr, 0).broken);
	}
}

/* Both ways of one jump just at, and just past, what eight bits hold. */
static void test_the_edge_of_reach(void **state)
{
	(void)state;
	for (unsigned between = 245; between < 265; between++) {
		struct bpf_code code;
		unsigned yes, no;

		bpf_code_init(&code);
		no = bpf_load(&code, 0, bpf_return(&code, 1));
		yes = bpf_load(&code, 0, bpf_return(&code, 2));
		for (unsigned i = 0; i < between; i++)
			bpf_return(&code, 3);
		bpf_load(&code, 0, bpf_if(&code, BPF_JEQ, 9, yes, no));
		assert_int_equal(run(&code, 9, 0).verdict, 2);
		assert_int_equal(run(&code, 8, 0).verdict, 1);
	}
}

static void test_full(void **state)
{
	struct bpf_code code;

	(void)state;
	bpf_code_init(&code);
	for (unsigned i = 0; i < BPF_CODE_MAX; i++)
		bpf_return(&code, i);
	assert_false(code.full);
	bpf_if(&code, BPF_JEQ, 1, 1, 2);
	assert_true(code.full);
	assert_int_equal(code.n, BPF_CODE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_comparison),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_no_question_where_there_is_one_answer),
		cmocka_unit_test(test_runs_on_to_an_older_place),
		cmocka_unit_test(test_bridges),
		cmocka_unit_test(test_the_edge_of_reach),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
