#include "policy/mask.h"

#include "policy/token.h"
#include "unit/policy/sample.h"

#define HEADER "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ"               /* {"alg":"RS256","kid":"1"} */
#define PAYLOAD "eyJzdWIiOiJ1c2VyLTEiLCJvcmciOiJhY21lIiwibiI6N30" /* {"sub":"user-1","org":"acme","n":7} */
#define SIGNATURE "c2lnbmF0dXJlLW9mLWEtc2VydmVyLXRoYXQtaXMtbG9uZw"
#define TOKEN HEADER "." PAYLOAD "." SIGNATURE

static struct mask mask;

static const char *masked(const struct credential *credential, const char *text)
{
	struct masked out = { text, strlen(text) };
	const char *fault = NULL;

	mask = (struct mask){ .arena = &arena, .seed = "seed" };
	if (mask_text(&mask, credential, &out, &fault) < 0)
		return fault;
	for (size_t i = 0; i < mask.secrets.n; i++) {
		assert_true(strlen(mask.secrets.at[i].placeholder) >= strlen(mask.secrets.at[i].value));
		if (out.text)
			assert_null(strstr(out.text, mask.secrets.at[i].value));
	}
	return out.text;
}

/* The text with its placeholders taken back. */
static const char *back(const char *text)
{
	const char *out = text;

	for (size_t i = 0; i < mask.secrets.n; i++)
		for (const char *at; (at = strstr(out, mask.secrets.at[i].placeholder));)
			out = arena_printf(&arena, "%.*s%s%s", (int)(at - out), out, mask.secrets.at[i].value,
			                   at + strlen(mask.secrets.at[i].placeholder));
	return out;
}

static void test_whole(void **state)
{
	const struct credential variable = { .name = "T", .mask = true }, file = { .name = "/f", .is_file = true, .mask = true };
	const char *first = masked(&variable, "ghp_abc"), *second;

	(void)state;
	assert_int_equal(strncmp(first, "fake_value_", 11), 0);
	assert_int_equal(strlen(first), 47);
	assert_string_equal(back(first), "ghp_abc");
	assert_string_equal(masked(&variable, "ghp_abc"), first);
	second = masked(&(struct credential){ .name = "U", .mask = true }, "ghp_abc");
	assert_string_not_equal(first, second);
	first = masked(&file, "0123456789012345678901234567890123456789012345678901234567890123456789\r\n\n");
	assert_int_equal(strlen(first), 73);
	assert_string_equal(first + 70, "\r\n\n");
	assert_null(masked(&file, "\n"));
	assert_non_null(strstr(masked(&file, "a\xff"), "no text"));
}

static void test_extract(void **state)
{
	static const char netrc[] = "machine a login me password s3cret\nmachine b password other # s3cret\nmachine c password s3cret\n";
	struct credential file = { .name = "/f", .is_file = true, .mask = true, .extract = "password (\\S+)" };
	const char *fake = masked(&file, "machine a password x\n");

	(void)state;
	assert_int_equal(strncmp(fake, "machine a password fake_value_", 30), 0);
	fake = masked(&file, "machine a password s3 password s3\n");
	assert_int_equal(mask.secrets.n, 1);
	assert_string_equal(back(fake), "machine a password s3 password s3\n");
	assert_null(masked(&file, "nothing\n"));
	file.mask_duplicates = true;
	fake = masked(&file, netrc);
	assert_int_equal(mask.secrets.n, 2);
	assert_null(strstr(fake, "s3cret"));
	assert_string_equal(back(fake), netrc);
	fake = masked(&file, "password abcdef password abc, abcdef, abc\n"); /* one is part of the other */
	assert_string_equal(back(fake), "password abcdef password abc, abcdef, abc\n");
	file.extract = "key(?:=(\\w+))?;";
	assert_non_null(strstr(masked(&file, "key;"), "took no part"));
}

static void test_tokens(void **state)
{
	struct credential variable = { .name = "T", .mask = true, .jwt = true },
			  file = { .name = "/f", .is_file = true, .mask = true, .jwt = true };
	const char *fake, *claims[] = { "sub", "n", "none" };

	(void)state;
	assert_true(token_is_one(TOKEN));
	assert_false(token_is_one(HEADER "." PAYLOAD));
	assert_false(token_is_one(PAYLOAD "." PAYLOAD "." SIGNATURE)); /* no alg */
	assert_false(token_is_one("eyJh.eyJz.c2ln"));
	fake = masked(&variable, TOKEN);
	assert_true(token_is_one(fake));
	assert_string_equal(back(fake), TOKEN);
	assert_null(masked(&variable, "no token"));
	fake = masked(&file, "{\"a\": \"" TOKEN "\", \"b\": \"eyJh.eyJz.c2ln\"}");
	assert_string_equal(back(fake), "{\"a\": \"" TOKEN "\", \"b\": \"eyJh.eyJz.c2ln\"}");
	assert_non_null(strstr(fake, "eyJh.eyJz.c2ln"));
	variable.claims = (struct text_vec){ claims, 3, 3 };
	fake = masked(&variable, TOKEN);
	assert_int_equal(mask.secrets.n, 2); /* the subject, and the token */
	assert_string_equal(mask.secrets.at[0].value, "user-1");
	assert_int_equal(strncmp(fake, HEADER ".", sizeof(HEADER)), 0);
	assert_null(strstr(fake, SIGNATURE));
	assert_true(token_is_one(fake));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_extract),
		cmocka_unit_test(test_tokens),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
