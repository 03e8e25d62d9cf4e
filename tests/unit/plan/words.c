#include "plan/words.h"

#include "unit/unit.h"

#include <sys/resource.h>

static void check(enum words_kind kind, uint64_t bits, const char *wanted)
{
	struct str s autostr;

	str_init(&s, 1000);
	words_put(&s, kind, bits);
	assert_string_equal(s.text, wanted);
}

static void test_words(void **state)
{
	(void)state;
	check(WORDS_TREE, 0, "rw");
	check(WORDS_TREE, 1, "ro");
	check(WORDS_TREE, 6, "rw,nosuid,nodev");
	check(WORDS_TREE, 127, "ro,nosuid,nodev,noexec,nosymfollow,recursive,optional");
	check(WORDS_TREE, 129, "ro,0x80");
	check(WORDS_NAMESPACES, 0, "none");
	check(WORDS_NAMESPACES, 0x10020000, "user,mount");
	check(WORDS_FILES, 1 << 2 | 1 << 6 | 1 << 7, "read_file,make_char,make_dir");
	check(WORDS_FILES, 0x1fc0, "make");
	check(WORDS_FILES, 1 << 16, "0x10000");
	check(WORDS_FILES, 0, "none");
	check(WORDS_NETWORK, 2, "connect_tcp");
	check(WORDS_SCOPES, UINT64_MAX, "abstract_unix_socket,signal,0xfffffffffffffffc");
	check(WORDS_STREAMS, 5, "input,error");
	check(WORDS_INIT, 8, "subreaper");
	check(WORDS_PROC, 5, "subset=pid,ro");
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(words_cgroup(0), "v2");
	assert_string_equal(words_cgroup(4), "v1 freezer");
	assert_string_equal(words_cgroup(5), "?");
	assert_string_equal(words_cgroup(UINT64_MAX), "?");
	assert_string_equal(words_rlimit(RLIMIT_NOFILE), "NOFILE");
	assert_string_equal(words_rlimit(RLIM_NLIMITS), "?");
	assert_int_equal(words_rlimit_unit(RLIMIT_CPU), WORDS_SECONDS);
	assert_int_equal(words_rlimit_unit(RLIMIT_FSIZE), WORDS_BYTES);
	assert_int_equal(words_rlimit_unit(UINT64_MAX), WORDS_COUNT);
	for (unsigned i = 0; i < RLIM_NLIMITS; i++)
		assert_non_null(words_rlimit(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
