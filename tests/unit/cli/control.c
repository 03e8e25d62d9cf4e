#include "cli/control.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

static size_t asked, refused;
static char last[sizeof(((struct coffer_error *)0)->text)];

static int new_policy(void *context, struct coffer_policy **ret_policy, struct coffer_error *error)
{
	(void)context;
	asked++;
	return coffer_policy_new(ret_policy, error);
}

static void count_refused(void *context, const struct coffer_policy *policy, const struct coffer_error *error)
{
	(void)context;
	(void)policy;
	refused++;
	snprintf(last, sizeof(last), "%s", error->text);
}

static struct control control = { .new_policy = new_policy, .refused = count_refused };
static struct coffer *coffer;

static int start(void **state)
{
	static const char *const argv[] = { "/bin/true", NULL };
	struct coffer_policy *policy;

	(void)state;
	asked = refused = 0;
	assert_int_equal(coffer_new(&coffer, NULL), 0);
	assert_int_equal(coffer_policy_new(&policy, NULL), 0);
	assert_int_equal(coffer_request_new(coffer, policy, argv, &control.request, NULL), 0);
	control_init(&control);
	return 0;
}

/* The same lines, in pieces of any size, are the same lines. */
static void test_pieces(void **state)
{
	static const char text[] =
	    "{\"network\": {\"allowedDomains\": [\"a.test\"]}}\r\n\n  \nnonsense\n{\"network\": {\"mode\": \"host\"}}\n"
	    "{\"network\": {\"allowedDomains\": [7]}}\nwithout an end";

	(void)state;
	for (size_t size = 1; size < sizeof(text); size++) {
		asked = refused = 0;
		for (size_t at = 0; at < sizeof(text) - 1; at += size)
			control_take(&control, text + at, sizeof(text) - 1 - at < size ? sizeof(text) - 1 - at : size);
		assert_int_equal(asked, 4);
		assert_true(refused >= 3); /* and the good one, when nobody has taken those before it */
		str_clear(&control.line);
	}
}

static void test_too_long(void **state)
{
	char *long_line = calloc(1, 3 << 20);

	(void)state;
	memset(long_line, ' ', 3 << 20);
	control_take(&control, long_line, 3 << 20);
	assert_int_equal(refused, 0);
	control_take(&control, "\nnonsense\n", 10);
	assert_int_equal(refused, 2);
	assert_non_null(strstr(last, "invalid token"));
	assert_true(control.line.room <= 2 << 20);
	free(long_line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pieces, start),
		cmocka_unit_test_setup(test_too_long, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
