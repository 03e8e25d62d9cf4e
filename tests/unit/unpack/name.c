#include "unpack/name.h"

#include "unit/unit.h"

static void links_that_stay(void **state)
{
	static const struct {
		const char *path, *target;
		bool stays;
	} cases[] = {
		{ "l", "a", true },         { "l", "a/b", true },      { "l", ".", true },           { "l", "./a", true },
		{ "l", "/a", false },       { "l", "..", false },      { "l", "../a", false },       { "d/l", "../a", true },
		{ "d/l", "..", true },      { "d/l", "../..", false }, { "d/e/l", "../../a", true }, { "d/e/l", "../../../a", false },
		{ "d/l", "a/../b", false }, { "l", "a/..", false },    { "d/l", "./../a", true },    { "d/l", ".././../a", false },
		{ "l", "..a", true },       { "l", "...", true },      { "d/l", "..//a", true },     { "d/l", "..//../a", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (name_keeps_inside(cases[i].path, cases[i].target) != cases[i].stays)
			fail_msg("%s -> %s", cases[i].path, cases[i].target);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(links_that_stay) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
