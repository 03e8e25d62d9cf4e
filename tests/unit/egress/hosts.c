#include "egress/lookup.h"

#include "unit/unit.h"

static char found[200];

static void note(const struct lookup_sink *sink, const struct host *address)
{
	(void)sink;
	strcat(found, address->text);
	strcat(found, " ");
}

static const char *find(const char *text, const char *name_text)
{
	const struct lookup_sink sink = { .found = note };
	struct host name;

	found[0] = '\0';
	assert_int_equal(host_parse(name_text, strlen(name_text), &name), 0);
	hosts_find(text, strlen(text), &name, &sink);
	return found;
}

static void test_hosts(void **state)
{
	static const char text[] = "127.0.0.1\tlocalhost\n"
				   "# 1.1.1.1 commented.test\n"
				   "  10.0.0.1   A.test b.test. # c.test\r\n"
				   "::1 localhost ip6-localhost\n"
				   "fe80::1%lo zone.test\n"
				   "0x7f.1 odd.test\n"
				   "name.test other.test\n"
				   "\n"
				   "9.9.9.9 last.test";

	(void)state;
	assert_string_equal(find(text, "localhost"), "127.0.0.1 ::1 ");
	assert_string_equal(find(text, "a.test"), "10.0.0.1 ");
	assert_string_equal(find(text, "B.TEST"), "10.0.0.1 ");
	assert_string_equal(find(text, "c.test"), "");
	assert_string_equal(find(text, "commented.test"), "");
	assert_string_equal(find(text, "zone.test"), "");
	assert_string_equal(find(text, "odd.test"), "");
	assert_string_equal(find(text, "other.test"), "");
	assert_string_equal(find(text, "last.test"), "9.9.9.9 ");
	assert_string_equal(find(text, "test"), "");
	assert_string_equal(find("", "a.test"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_hosts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
