#include "egress/dns.h"

#include "unit/unit.h"

#include <errno.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BYTES(text) text, sizeof(text) - 1
#define HEAD "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define A_B    \
	"\x01" \
	"a"    \
	"\x01" \
	"b"    \
	"\x00"
#define TYPE_A "\x00\x01\x00\x01"

static struct dns_question question;

static void test_question(void **state)
{
	static const char query[] = HEAD A_B TYPE_A "\x00\x00\x29"; /* what comes behind it is not looked at */

	(void)state;
	assert_int_equal(dns_read(BYTES(query), &question), 0);
	assert_int_equal(question.refused, DNS_FINE);
	assert_string_equal(question.name, "a.b");
	assert_int_equal(question.type, DNS_A);
	assert_int_equal(question.bytes, sizeof(HEAD A_B TYPE_A) - 1);
}

static void test_hostile(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		int r;
		enum dns_code refused;
	} cases[] = {
		{ BYTES(""), -EPROTO, DNS_FINE },
		{ BYTES("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00"), -EPROTO, DNS_FINE },
		{ BYTES("\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00" A_B TYPE_A), -EPROTO, DNS_FINE }, /* an answer: no loop of two */
		{ BYTES("\x12\x34\x29\x00\x00\x01\x00\x00\x00\x00\x00\x00" A_B TYPE_A), 0, DNS_NOT_SERVED }, /* an update */
		{ BYTES("\x12\x34\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0, DNS_MALFORMED },
		{ BYTES("\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00" A_B TYPE_A A_B TYPE_A), 0, DNS_MALFORMED },
		{ BYTES(HEAD), 0, DNS_MALFORMED },
		{ BYTES(HEAD A_B), 0, DNS_MALFORMED },
		{ BYTES(HEAD A_B "\x00\x01\x00"), 0, DNS_MALFORMED },
		{ BYTES(HEAD "\x01"
		             "a"),
		  0, DNS_MALFORMED },
		{ BYTES(HEAD "\x05"
		             "a"),
		  0, DNS_MALFORMED },
		{ BYTES(HEAD "\xc0\x0c" TYPE_A), 0, DNS_MALFORMED }, /* a name that points at itself */
		{ BYTES(HEAD "\x40"
		             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		             "\x00" TYPE_A),
		  0, DNS_MALFORMED },
		{ BYTES(HEAD A_B "\x00\x01\x00\x03"), 0, DNS_NOT_SERVED }, /* CHAOS */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (dns_read(cases[i].bytes, cases[i].n, &question) != cases[i].r)
			fail_msg("case %zu", i);
		if (cases[i].r == 0)
			assert_int_equal(question.refused, cases[i].refused);
	}
}

/* What is in a label and would be more than that in a text is no name. */
static void test_odd_labels(void **state)
{
	(void)state;
	assert_int_equal(dns_read(BYTES(HEAD "\x03"
	                                     "a.b"
	                                     "\x00" TYPE_A),
	                          &question),
	                 0);
	assert_string_equal(question.name, "");
	assert_int_equal(dns_read(BYTES(HEAD "\x03"
	                                     "a\0b"
	                                     "\x01"
	                                     "c"
	                                     "\x00" TYPE_A),
	                          &question),
	                 0);
	assert_string_equal(question.name, "");
	assert_int_equal(dns_read(BYTES(HEAD "\x00" TYPE_A), &question), 0);
	assert_string_equal(question.name, "");
}

static void test_longest(void **state)
{
	unsigned char query[DNS_BYTES_MAX] = HEAD;
	size_t at = 12;

	(void)state;
	for (int i = 0; i < 127; i++) { /* 127 labels of one byte: 253 as text */
		query[at++] = 1;
		query[at++] = 'a';
	}
	query[at] = 0;
	memcpy(query + at + 1, TYPE_A, 4);
	assert_int_equal(dns_read(query, at + 5, &question), 0);
	assert_int_equal(question.refused, DNS_FINE);
	assert_int_equal(strlen(question.name), DNS_NAME_MAX);
	query[12] = 2; /* one byte more: the labels behind shift, and it is too long or malformed */
	memmove(query + 15, query + 14, at + 5 - 14);
	query[14] = 'a';
	assert_int_equal(dns_read(query, at + 6, &question), 0);
	assert_int_equal(question.refused, DNS_MALFORMED);
}

static void test_answers(void **state)
{
	static const struct dns_answer there = { DNS_FINE, { 198, 18, 1, 2 }, 4 }, nowhere = { .code = DNS_NO_SUCH_NAME };
	struct dns_answer refused = { 0 };
	static const char query[] = HEAD A_B TYPE_A;
	static const char found[] = "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" A_B TYPE_A
				    "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc6\x12\x01\x02";
	static const char missing[] = "\x12\x34\x81\x83\x00\x01\x00\x00\x00\x00\x00\x00" A_B TYPE_A;
	static const char malformed[] = "\x12\x34\x81\x81\x00\x00\x00\x00\x00\x00\x00\x00";
	unsigned char out[DNS_BYTES_MAX];

	(void)state;
	assert_int_equal(dns_read(BYTES(query), &question), 0);
	assert_int_equal(dns_write(query, &question, &there, out), sizeof(found) - 1);
	assert_memory_equal(out, found, sizeof(found) - 1);
	assert_int_equal(dns_write(query, &question, &nowhere, out), sizeof(missing) - 1);
	assert_memory_equal(out, missing, sizeof(missing) - 1);
	assert_int_equal(dns_read(BYTES(HEAD), &question), 0);
	refused.code = question.refused;
	assert_int_equal(dns_write(HEAD, &question, &refused, out), sizeof(malformed) - 1);
	assert_memory_equal(out, malformed, sizeof(malformed) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question), cmocka_unit_test(test_hostile), cmocka_unit_test(test_odd_labels),
		cmocka_unit_test(test_longest),  cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
