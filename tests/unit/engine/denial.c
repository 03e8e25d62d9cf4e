#include "engine/denial.h"

#include "unit/engine/course.h"

static void denials(void **state)
{
	struct course *c = new_course();

	(void)state;
	run_words(c, (const char *const[]){ "deny", "6", NULL });
	assert_int_equal(c->r, 0);

	const struct denial_vec *d = &c->outcome.denials;

	assert_int_equal(d->n, 8);
	assert_int_equal(c->events[ENGINE_DENIED], 8);
	assert_string_equal(d->at[0].process, "sh");
	assert_string_equal(d->at[0].operation, "open");
	assert_string_equal(d->at[0].target, "/path/0");
	assert_int_equal(d->at[0].errnum, EACCES);
	assert_int_equal(d->at[0].count, 2);
	assert_string_equal(d->at[0].rule, "default");
	assert_string_equal(d->at[1].operation, "create");
	assert_string_equal(d->at[1].rule, "/filesystem/denyWrite/0");
	assert_string_equal(d->at[2].rule, "--deny-read");
	assert_string_equal(d->at[6].operation, "socket");
	assert_string_equal(d->at[6].target, "AF_PACKET");
	assert_string_equal(d->at[7].operation, "syscall 9999");
	assert_string_equal(d->at[7].process, "no end");
	assert_string_equal(d->at[7].target, "");

	c = new_course();
	run_words(c, (const char *const[]){ "deny", "3000", NULL });
	assert_int_equal(c->outcome.denials.n, 1000);
	assert_int_equal(c->outcome.denials.at[999].count, 2);
	assert_int_equal(c->outcome.denials_dropped, 2 * 2000 + 2);
}

static bool ignores_paths(void *context, const struct denial *denial)
{
	(void)context;
	return denial->target[0] == '/';
}

static void ignored_denials_are_counted_alone(void **state)
{
	struct course *c = new_course();

	(void)state;
	c->options.ignores = ignores_paths;
	run_words(c, (const char *const[]){ "deny", "3000", NULL });
	assert_int_equal(c->r, 0);
	assert_int_equal(c->outcome.denials.n, 2); /* the socket and what has no target; none was pushed out by those that do not count */
	assert_int_equal(c->events[ENGINE_DENIED], 2);
	assert_string_equal(c->outcome.denials.at[0].target, "AF_PACKET");
	assert_int_equal(c->outcome.denials_ignored, 2 * 3000);
	assert_int_equal(c->outcome.denials_dropped, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(denials),
		RUN_TEST(ignored_denials_are_counted_alone),
	};

	(void)argc;
	fake_main(argv);
	return RUN_ALL(tests);
}
