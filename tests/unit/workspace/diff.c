#include "workspace/diff.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static unsigned random_state = 1;

static unsigned pick(unsigned n)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 8) % n;
}

static size_t random_text(char *text, unsigned lines, unsigned letters)
{
	size_t n = 0;

	for (unsigned i = pick(lines + 1); i > 0; i--) {
		text[n++] = (char)('a' + pick(letters));
		text[n++] = '\n';
	}
	return n - (n > 0 && pick(4) == 0);
}

/* Length of the longest common subsequence, by the book. */
static size_t common(const struct diff *diff)
{
	size_t best[64][64] = { { 0 } };

	for (size_t i = 1; i <= diff->a.lines; i++)
		for (size_t k = 1; k <= diff->b.lines; k++)
			best[i][k] = diff->a.id[i - 1] == diff->b.id[k - 1] ? best[i - 1][k - 1] + 1
			             : best[i - 1][k] > best[i][k - 1]      ? best[i - 1][k]
			                                                    : best[i][k - 1];
	return best[diff->a.lines][diff->b.lines];
}

static void shortest_and_right(void **state)
{
	(void)state;
	for (int round = 0; round < 5000; round++) {
		char a[128], b[128];
		size_t a_n = random_text(a, 40, 4), b_n = random_text(b, 40, 4);
		struct diff_hunk hunk = { 0 };
		unsigned chosen[64], n = 0;
		autodiff struct diff diff;
		autostr struct str out;

		assert_int_equal(diff_make(a, a_n, b, b_n, &diff), 0);
		assert_int_equal(diff.removed, diff.a.lines - common(&diff));
		assert_int_equal(diff.added, diff.b.lines - common(&diff));
		for (; diff_next(&diff, &hunk); n++)
			chosen[n] = n + 1;
		str_init(&out, 1000);
		assert_int_equal(diff_choose(&diff, chosen, n, &out), 0);
		assert_int_equal(out.len, b_n);
		assert_memory_equal(out.text, b, b_n);
		str_clear(&out);
		assert_int_equal(diff_choose(&diff, NULL, 0, &out), 0);
		assert_int_equal(out.len, a_n);
		assert_memory_equal(out.text, a, a_n);
	}
}

static char *large(unsigned lines, unsigned salt, size_t *ret_n)
{
	char *text = malloc((size_t)lines * 12 + 1);

	*ret_n = 0;
	for (unsigned i = 0; i < lines; i++)
		*ret_n += (size_t)sprintf(text + *ret_n, "%u\n", salt ? i * salt % 1000003 : i);
	return text;
}

/* Two texts with nothing but chance in common: the effort is bounded. */
static void bounded(void **state)
{
	size_t a_n, b_n;
	char *a = large(200000, 7, &a_n), *b = large(200000, 11, &b_n);
	autodiff struct diff diff;
	clock_t start = clock();

	(void)state;
	assert_int_equal(diff_make(a, a_n, b, b_n, &diff), 0);
	assert_true(clock() - start < 60 * CLOCKS_PER_SEC);
	autostr struct str out;
	struct diff_hunk hunk = { 0 };
	static unsigned all[200000];
	unsigned n = 0;

	for (; diff_next(&diff, &hunk); n++)
		all[n] = n + 1;
	str_init(&out, 8 << 20);
	for (unsigned i = 0; i < 3 && i < n; i++)
		assert_int_equal(all[i], i + 1);
	if (n < 1000) { /* choosing looks through the list for every hunk */
		assert_int_equal(diff_choose(&diff, all, n, &out), 0);
		assert_int_equal(out.len, b_n);
	}
	free(a);
	free(b);
}

static void expect(const char *a, const char *b, const char *hunks)
{
	autodiff struct diff diff;
	autostr struct str out;
	struct diff_hunk hunk = { 0 };

	assert_int_equal(diff_make(a, strlen(a), b, strlen(b), &diff), 0);
	str_init(&out, 10000);
	while (diff_next(&diff, &hunk))
		diff_print(&diff, &hunk, &out);
	assert_string_equal(out.text, hunks);
}

static void as_text(void **state)
{
	(void)state;
	expect("", "", "");
	expect("a\n", "a\n", "");
	expect("", "a\n", "@@ -0,0 +1 @@\n+a\n");
	expect("a\n", "", "@@ -1 +0,0 @@\n-a\n");
	expect("a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
	expect("1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\nx\n6\n7\n8\n", "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n");
	expect("x\n1\n2\n3\n4\n5\n6\ny\n", "1\n2\n3\n4\n5\n6\n", "@@ -1,8 +1,6 @@\n-x\n 1\n 2\n 3\n 4\n 5\n 6\n-y\n");
	expect("x\n1\n2\n3\n4\n5\n6\n7\ny\n", "1\n2\n3\n4\n5\n6\n7\n",
	       "@@ -1,4 +1,3 @@\n-x\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-y\n");
}

static void chosen_hunks(void **state)
{
	static const char a[] = "x\n1\n2\n3\n4\n5\n6\n7\ny\n", b[] = "1\n2\n3\n4\n5\n6\n7\n";
	const unsigned second[] = { 2 }, third[] = { 3 }, zeroth[] = { 0 };
	autodiff struct diff diff;
	autostr struct str out;

	(void)state;
	assert_int_equal(diff_make(a, strlen(a), b, strlen(b), &diff), 0);
	str_init(&out, 1000);
	assert_int_equal(diff_choose(&diff, second, 1, &out), 0);
	assert_string_equal(out.text, "x\n1\n2\n3\n4\n5\n6\n7\n");
	str_clear(&out);
	assert_int_equal(diff_choose(&diff, third, 1, &out), -ERANGE);
	assert_int_equal(diff_choose(&diff, zeroth, 1, &out), -ERANGE);
}

static void binary(void **state)
{
	char far[9000];

	(void)state;
	memset(far, 'x', sizeof(far));
	far[8500] = '\0';
	assert_false(diff_is_binary("", 0));
	assert_false(diff_is_binary("text\xff", 5));
	assert_true(diff_is_binary("a\0b", 3));
	assert_false(diff_is_binary(far, sizeof(far)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shortest_and_right), cmocka_unit_test(bounded), cmocka_unit_test(as_text),
		cmocka_unit_test(chosen_hunks),       cmocka_unit_test(binary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
