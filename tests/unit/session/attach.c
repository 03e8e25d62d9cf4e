#include "session/attach.h"
#include "unit/unit.h"

#include <string.h>

/* What is passed on of keys that come in pieces; "!" at the end: the sequence was whole. */
static void passes(const char *sequence, const char *const *pieces, const char *want)
{
	struct attach_keys keys = { .sequence = sequence, .n = strlen(sequence) };
	autostr struct str passed = { 0 };
	bool whole = false;

	str_init(&passed, 1000);
	for (; *pieces && !whole; pieces++)
		whole = attach_keys_take(&keys, *pieces, strlen(*pieces), &passed);
	str_add(&passed, whole ? "!" : "");
	assert_string_equal(passed.text ? passed.text : "", want);
}

static void keys_that_detach(void **state)
{
	(void)state;
	passes("PQ", (const char *const[]){ "abPQcd", NULL }, "ab!");
	passes("PQ", (const char *const[]){ "aP", "Q", NULL }, "a!");
	passes("PQ", (const char *const[]){ "aP", "b", "PPQ", NULL }, "aPbP!");
	passes("PQ", (const char *const[]){ "aP", NULL }, "a");
	passes("P", (const char *const[]){ "xP", NULL }, "x!");
	passes("", (const char *const[]){ "PQ", "anything", NULL }, "PQanything");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keys_that_detach) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
