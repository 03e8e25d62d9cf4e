#include "egress/sni.h"

#include "unit/unit.h"

enum { HELLO_ROOM = 40 << 10 };

static unsigned char hello[HELLO_ROOM];
static size_t hello_n;

static void put(size_t n, unsigned number)
{
	while (n-- > 0)
		hello[hello_n++] = (unsigned char)(number >> 8 * n);
}

static void patch(size_t at, size_t n, size_t number)
{
	while (n-- > 0)
		hello[at++] = (unsigned char)(number >> 8 * n);
}

static void put_name(const char *name, size_t n)
{
	put(2, 0);
	put(2, (unsigned)n + 5);
	put(2, (unsigned)n + 3);
	put(1, 0);
	put(2, (unsigned)n);
	memcpy(hello + hello_n, name, n);
	hello_n += n;
}

/* One record with one ClientHello with `names` server names and an extension before and after. */
static void make(const char *name, size_t name_n, int names)
{
	size_t extensions;

	hello_n = 0;
	put(1, 22);
	put(2, 0x0301);
	put(2, 0);
	put(1, 1);
	put(3, 0);
	put(2, 0x0303);
	for (int i = 0; i < 32; i++)
		put(1, 7);
	put(1, 0);
	put(2, 2);
	put(2, 0x1301);
	put(1, 1);
	put(1, 0);
	extensions = hello_n;
	put(2, 0);
	put(4, 0x000a0002);
	put(2, 0);
	for (int i = 0; i < names; i++)
		put_name(name, name_n);
	put(4, 0x00ff0000);
	patch(extensions, 2, hello_n - extensions - 2);
	patch(6, 3, hello_n - 9);
	patch(3, 2, hello_n - 5);
}

static enum sni_kind kind(const void *bytes, size_t n)
{
	return sni_look(bytes, n).kind;
}

static void test_name(void **state)
{
	struct sni sni;

	(void)state;
	make("Example.com", 11, 1);
	sni = sni_look(hello, hello_n);
	assert_int_equal(sni.kind, SNI_NAME);
	assert_int_equal(sni.name_n, 11);
	assert_memory_equal(sni.name, "Example.com", 11);
	for (size_t n = 0; n < hello_n; n++)
		assert_int_equal(kind(hello, n), SNI_MORE);
	make("a\0b", 3, 1);
	assert_int_equal(sni_look(hello, hello_n).name_n, 3);
	make(NULL, 0, 0);
	assert_int_equal(kind(hello, hello_n), SNI_ABSENT);
}

static void test_early_data(void **state)
{
	(void)state;
	make("a.b", 3, 1);
	put(1, 20);
	put(4, 0x03030001);
	put(2, 0x0117);
	assert_int_equal(kind(hello, hello_n), SNI_NAME);
}

static void test_other_protocols(void **state)
{
	static const char *const others[] = { "GET / HTTP/1.1", "SSH-2.0-x",   "\x18Xyz", "\x00\x00\x00\x08\x04\xd2\x16\x2f",
		                              "\x80\x2e\x02",   "\x14\x02\x01" };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(kind(others[i], 3), SNI_NOT_TLS);
	assert_int_equal(kind("", 0), SNI_MORE);
	assert_int_equal(kind("\x16", 1), SNI_MORE);
	assert_int_equal(kind("\x15", 1), SNI_MORE);
}

/* What some servers take for a greeting all the same. Each byte of it is either undecided or refused, never passed on. */
static void test_odd(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {
		{ "\x16\x02\x01\x00\x40\x01\x00\x00\x3c", 9 },      /* Go: any version below 16 */
		{ "\x16\x00\x00\x00\x01\x01", 6 },                  /* the same, one byte a record */
		{ "\x16\x04\x01\x00\x40\x01", 6 },                  /* Java: any version from 3 on */
		{ "\x16\xff\xff\x00\x40\x01", 6 },                  /* */
		{ "\x16\x02\x01\x00\x00\x16", 6 },                  /* nothing, then the greeting */
		{ "\x15\x02\x01\x00\x02\x01\x00\x16\x03", 9 },      /* a warning, then the greeting */
		{ "\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00", 10 }, /* SSL 2's format, TLS 1.0 */
		{ "\xff\xff\x01\x03\x03\x00", 6 },                  /* the same, TLS 1.2, long */
		{ "\x80\x2e\x01\x00\x02\x00", 6 },                  /* SSL 2 itself */
	};
	static const struct {
		const char *bytes;
		size_t n;
	} good[] = {
		{ "\x80\x00\x00\x05\x00\x00", 6 },                  /* memcached */
		{ "\x80\x2e\x02", 3 },                              /* */
		{ "\x16\x01\x00\x00\x07\x00\x00\x00\x00\x00", 10 }, /* MongoDB: a message of 278 bytes, the seventh */
		{ "\x15\x01\x00\x00\x07\x00\x00\x00\x00\x00", 10 }, /* 277 bytes */
		{ "\x14\x01\x00\x00\x01\x00", 6 },                  /* 276 bytes */
		{ "\x80\x2e\x01\x07\x01\x00", 6 },                  /* nobody's */
		{ "\x13"
		  "BitTorrent",
		  11 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(kind(bad[i].bytes, bad[i].n), SNI_BAD);
		for (size_t n = 0; n < 6; n++)
			assert_int_equal(kind(bad[i].bytes, n), SNI_MORE);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(kind(good[i].bytes, good[i].n), SNI_NOT_TLS);
}

/* The same hello in records of `size` bytes. */
static size_t split(size_t size, unsigned char *ret_bytes)
{
	size_t n = 0;

	for (size_t at = 5; at < hello_n; at += size) {
		size_t here = hello_n - at < size ? hello_n - at : size;

		ret_bytes[n++] = 22;
		ret_bytes[n++] = 3;
		ret_bytes[n++] = 1;
		ret_bytes[n++] = (unsigned char)(here >> 8);
		ret_bytes[n++] = (unsigned char)here;
		memcpy(ret_bytes + n, hello + at, here);
		n += here;
	}
	return n;
}

static void test_split_records(void **state)
{
	static unsigned char bytes[HELLO_ROOM];

	(void)state;
	make("split.example", 13, 1);
	for (size_t size = 1; size < hello_n; size++) {
		size_t n = split(size, bytes);

		assert_int_equal(kind(bytes, n), SNI_NAME);
		assert_int_equal(kind(bytes, n - 1), SNI_MORE);
	}
}

static void test_bad(void **state)
{
	size_t whole;

	(void)state;
	assert_int_equal(kind("\x15\x03\x01\x00\x02", 5), SNI_BAD); /* an alert first */
	assert_int_equal(kind("\x14\x03\x01\x00\x01\x01", 6), SNI_BAD);
	assert_int_equal(kind("\x17\x03", 2), SNI_BAD);
	assert_int_equal(kind("\x16\x03\x01\x00\x00", 5), SNI_BAD);     /* an empty record */
	assert_int_equal(kind("\x16\x03\x01\x40\x01", 5), SNI_BAD);     /* too long a record */
	assert_int_equal(kind("\x16\x03\x01\x00\x04\x02", 6), SNI_BAD); /* a ServerHello */
	assert_int_equal(kind("\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9), SNI_BAD);
	make("a.b", 3, 2);
	assert_int_equal(kind(hello, hello_n), SNI_BAD);
	make("", 0, 1);
	assert_int_equal(kind(hello, hello_n), SNI_BAD);
	make("a.b", 3, 1);
	put(1, 0); /* something behind the hello in its record */
	patch(3, 2, hello_n - 5);
	assert_int_equal(kind(hello, hello_n), SNI_BAD);
	make("a.b", 3, 1);
	whole = hello_n;
	for (size_t at = 6; at < 9; at++) { /* a length that is not the hello's */
		hello[at] ^= 1;
		assert_int_not_equal(kind(hello, whole), SNI_NAME);
		hello[at] ^= 1;
	}
	assert_int_equal(kind(hello, whole), SNI_NAME);
}

/* Whatever byte is changed, it never reads beyond, and a name stays within bounds. */
static void test_changed(void **state)
{
	(void)state;
	make("changed.example", 15, 1);
	for (size_t at = 0; at < hello_n; at++)
		for (unsigned change = 1; change < 256; change <<= 1) {
			struct sni sni;

			hello[at] ^= (unsigned char)change;
			sni = sni_look(hello, hello_n);
			assert_true(sni.name_n <= SNI_NAME_MAX);
			hello[at] ^= (unsigned char)change;
		}
}

/* A hello that says it is long and comes a byte a record. */
static void test_endless(void **state)
{
	static const unsigned char head[] = { 1, 0, 0x3f, 0 };

	(void)state;
	for (size_t at = 0, i = 0; at + 6 <= sizeof(hello); at += 6, i++) {
		memcpy(hello + at, "\x16\x03\x01\x00\x01\x00", 6);
		hello[at + 5] = i < sizeof(head) ? head[i] : 0;
	}
	assert_int_equal(kind(hello, SNI_BYTES_MAX - 1), SNI_MORE);
	assert_int_equal(kind(hello, SNI_BYTES_MAX), SNI_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),          cmocka_unit_test(test_early_data), cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_split_records), cmocka_unit_test(test_bad),        cmocka_unit_test(test_changed),
		cmocka_unit_test(test_endless),       cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
