#include "base/arena.h"

#include "base/vec.h"
#include "unit/unit.h"

static void test_aligned_and_zeroed(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 20);
	for (size_t n = 0; n < 300; n++) {
		unsigned char *p = arena_alloc(&arena, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	arena_done(&arena);
	arena_done(&arena);
	assert_int_equal(arena.used_bytes, 0);
}

static void test_no_two_overlap(void **state)
{
	struct arena arena;
	unsigned char *at[100];

	(void)state;
	arena_init(&arena, 8 << 20);
	for (size_t i = 0; i < 100; i++) {
		at[i] = arena_alloc(&arena, i * i + 1);
		assert_non_null(at[i]);
		memset(at[i], (int)i, i * i + 1);
	}
	for (size_t i = 0; i < 100; i++)
		for (size_t k = 0; k < i * i + 1; k++)
			assert_int_equal(at[i][k], i);
	arena_done(&arena);
}

static void test_ceiling(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 64);
	assert_non_null(arena_alloc(&arena, 48));
	assert_null(arena_alloc(&arena, 17));
	assert_non_null(arena_alloc(&arena, 16));
	assert_null(arena_alloc(&arena, 0));
	assert_null(arena_alloc(&arena, 1));
	arena_done(&arena);

	arena_init(&arena, 17); /* rounding up must not pass it either */
	assert_null(arena_alloc(&arena, 17));
	assert_non_null(arena_alloc(&arena, 16));
	arena_done(&arena);

	struct arena none = { 0 };

	assert_null(arena_alloc(&none, 1));
	arena_done(&none);
}

static void test_overflow(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, SIZE_MAX);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 15));
	assert_null(arena_array(&arena, SIZE_MAX / 2 + 1, 2));
	assert_null(arena_array(&arena, 1ul << 32, 1ul << 32));
	assert_null(arena_dup_n(&arena, "x", SIZE_MAX));
	assert_non_null(arena_array(&arena, 0, SIZE_MAX));
	arena_done(&arena);
}

static void test_text(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 20);
	assert_string_equal(arena_dup(&arena, "text"), "text");
	assert_string_equal(arena_dup(&arena, ""), "");
	assert_null(arena_dup(&arena, NULL));
	assert_string_equal(arena_dup_n(&arena, "text", 2), "te");
	assert_string_equal(arena_dup_n(&arena, NULL, 0), "");
	assert_string_equal(arena_printf(&arena, "%s-%d", "a", 7), "a-7");
	assert_string_equal(arena_printf(&arena, "%s", ""), "");

	char *wide = arena_printf(&arena, "%*d", 100000, 1);

	assert_int_equal(strlen(wide), 100000);
	arena_done(&arena);

	arena_init(&arena, 32);
	assert_null(arena_printf(&arena, "%*d", 100, 1));
	arena_done(&arena);
}

VEC(uint64_t, number_vec)

static void test_vec_grows_and_stops_at_the_ceiling(void **state)
{
	struct arena arena;
	struct number_vec v = { 0 };
	uint64_t *at;

	(void)state;
	arena_init(&arena, 16 << 10);
	while ((at = number_vec_add(&v, &arena))) {
		assert_int_equal(*at, 0);
		*at = v.n;
	}
	assert_int_equal(v.n, 1024 - 512 + 512);
	for (size_t i = 0; i < v.n; i++)
		assert_int_equal(v.at[i], i + 1);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aligned_and_zeroed),
		cmocka_unit_test(test_no_two_overlap),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_vec_grows_and_stops_at_the_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
