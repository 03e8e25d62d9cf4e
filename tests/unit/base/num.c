#include "base/num.h"

#include "unit/unit.h"

typedef int reader(const char *text, uint64_t *ret);

static void good(reader *read, const char *text, uint64_t wanted)
{
	uint64_t value = 12345;

	assert_int_equal(read(text, &value), 0);
	assert_int_equal(value, wanted);
}

static void bad(reader *read, const char *text, int wanted)
{
	uint64_t value = 12345;

	assert_int_equal(read(text, &value), wanted);
	assert_int_equal(value, 12345); /* outputs are written on success only */
}

static void test_count(void **state)
{
	(void)state;
	good(num_count, "0", 0);
	good(num_count, "007", 7);
	good(num_count, "18446744073709551614", UINT64_MAX - 1);
	good(num_count, "unlimited", NUM_UNLIMITED);
	good(num_count, "none", NUM_UNLIMITED);
	bad(num_count, "18446744073709551615", -ERANGE); /* NUM_UNLIMITED by the back door */
	bad(num_count, "18446744073709551616", -ERANGE);
	bad(num_count, "99999999999999999999999", -ERANGE);
	bad(num_count, "", -EINVAL);
	bad(num_count, "-1", -EINVAL);
	bad(num_count, "+1", -EINVAL);
	bad(num_count, " 1", -EINVAL);
	bad(num_count, "1 ", -EINVAL);
	bad(num_count, "1k", -EINVAL);
	bad(num_count, "0x10", -EINVAL);
	bad(num_count, "1.0", -EINVAL);
	bad(num_count, "Unlimited", -EINVAL);
}

static void test_size(void **state)
{
	(void)state;
	good(num_size, "4096", 4096);
	good(num_size, "0", 0);
	good(num_size, "512M", 512ull << 20);
	good(num_size, "512m", 512ull << 20);
	good(num_size, "1K", 1024);
	good(num_size, "1KB", 1000);
	good(num_size, "1kb", 1000);
	good(num_size, "1KiB", 1024);
	good(num_size, "2MB", 2000000);
	good(num_size, "3GB", 3000000000);
	good(num_size, "4TB", 4000000000000);
	good(num_size, "4T", 4ull << 40);
	good(num_size, "1.5GiB", 3ull << 29);
	good(num_size, "0.5K", 512);
	good(num_size, "1.9999999999999999999K", 2047);
	good(num_size, "100B", 100);
	good(num_size, "256 MiB", 256ull << 20);
	good(num_size, "16777215T", 16777215ull << 40);
	good(num_size, "unlimited", NUM_UNLIMITED);
	bad(num_size, "16777216T", -ERANGE);
	bad(num_size, "18446744073709551615", -ERANGE);
	bad(num_size, "20000000000G", -ERANGE);
	bad(num_size, "1.5", -EINVAL); /* half a byte */
	bad(num_size, "1.5B", -EINVAL);
	bad(num_size, "1.", -EINVAL);
	bad(num_size, "1.K", -EINVAL);
	bad(num_size, ".5K", -EINVAL);
	bad(num_size, "-1M", -EINVAL);
	bad(num_size, "1MM", -EINVAL);
	bad(num_size, "1 ", -EINVAL);
	bad(num_size, "1  M", -EINVAL);
	bad(num_size, "M", -EINVAL);
	bad(num_size, "", -EINVAL);
	bad(num_size, "1e3", -EINVAL);
}

static void test_duration(void **state)
{
	(void)state;
	good(num_duration, "30s", 30000);
	good(num_duration, "30", 30000);
	good(num_duration, "1.5", 1500);
	good(num_duration, "500ms", 500);
	good(num_duration, "2m", 120000);
	good(num_duration, "1h30m", 5400000);
	good(num_duration, "1d", 86400000);
	good(num_duration, "1.5s", 1500);
	good(num_duration, "1m1.5s", 61500);
	good(num_duration, "1d2h3m4s5ms", 93784005);
	good(num_duration, "0", 0);
	good(num_duration, "213503982334d", 213503982334ull * 86400000);
	good(num_duration, "none", NUM_UNLIMITED);
	bad(num_duration, "213503982335d", -ERANGE);
	bad(num_duration, "213503982334d15h", -ERANGE);
	bad(num_duration, "18446744073709551616", -ERANGE);
	bad(num_duration, "1h30", -EINVAL); /* thirty what? */
	bad(num_duration, "30m1h", -EINVAL);
	bad(num_duration, "1h1h", -EINVAL);
	bad(num_duration, "5S", -EINVAL);
	bad(num_duration, "1w", -EINVAL);
	bad(num_duration, "ms", -EINVAL);
	bad(num_duration, "1s ", -EINVAL);
	bad(num_duration, "-1s", -EINVAL);
	bad(num_duration, "", -EINVAL);
}

typedef void writer(struct str *s, uint64_t value);

static void put(writer *write, uint64_t value, const char *wanted)
{
	struct str s autostr;

	str_init(&s, 100);
	write(&s, value);
	assert_string_equal(s.text, wanted);
}

static void test_put(void **state)
{
	(void)state;
	put(num_put_size, 0, "0 B");
	put(num_put_size, 1023, "1023 B");
	put(num_put_size, 1024, "1 KiB");
	put(num_put_size, 1536, "1.5 KiB");
	put(num_put_size, 1025, "1 KiB");
	put(num_put_size, 256ull << 20, "256 MiB");
	put(num_put_size, (1ull << 20) - 1, "1024 KiB");
	put(num_put_size, 3ull << 29, "1.5 GiB");
	put(num_put_size, 5ull << 40, "5 TiB");
	put(num_put_size, 5000ull << 40, "5000 TiB");
	put(num_put_size, UINT64_MAX - 1, "16777216 TiB");
	put(num_put_size, NUM_UNLIMITED, "unlimited");
	put(num_put_duration, 0, "0s");
	put(num_put_duration, 250, "250ms");
	put(num_put_duration, 1000, "1s");
	put(num_put_duration, 1500, "1.5s");
	put(num_put_duration, 1050, "1.05s");
	put(num_put_duration, 1001, "1.001s");
	put(num_put_duration, 90000, "1m30s");
	put(num_put_duration, 3600000, "1h");
	put(num_put_duration, 86400000 + 5, "1d0.005s");
	put(num_put_duration, NUM_UNLIMITED, "unlimited");
}

/* What is printed reads back as the same value. */
static void test_durations_round_trip(void **state)
{
	uint64_t value = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct str s autostr;
		uint64_t back;

		value = value * 6364136223846793005u + 1442695040888963407u;
		str_init(&s, 100);
		num_put_duration(&s, value >> (i % 60));
		assert_int_equal(num_duration(s.text, &back), 0);
		assert_int_equal(back, value >> (i % 60));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_durations_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
