#include "base/hash.h"

#include "unit/unit.h"

#include <stdlib.h>

static void check(const void *bytes, size_t n, size_t step, const char *wanted)
{
	uint8_t digest[SHA256_BYTES];
	char hex[SHA256_BYTES * 2 + 1];
	struct sha256 h;

	sha256_init(&h);
	for (size_t at = 0; at < n; at += step)
		sha256_add(&h, (const char *)bytes + at, n - at < step ? n - at : step);
	sha256_done(&h, digest);
	sha256_hex(digest, hex);
	assert_string_equal(hex, wanted);
}

/* FIPS 180-4 examples, and the well-known digest of nothing. */
static void test_vectors(void **state)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	check("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check("abc", 3, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	for (size_t step = 1; step <= 56; step++)
		check(two_blocks, 56, step, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_million(void **state)
{
	enum { N = 1000000 };
	static char text[N];

	(void)state;
	memset(text, 'a', N);
	check(text, N, N, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	check(text, N, 977, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* All lengths around the padding's edges: computed with coreutils' sha256sum. */
static void test_padding_edges(void **state)
{
	static const struct {
		size_t n;
		const char *hex;
	} edges[] = {
		{ 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
		{ 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a" },
		{ 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34" },
		{ 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
		{ 65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0" },
	};
	char text[65];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		check(text, edges[i].n, 10, edges[i].hex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_million),
		cmocka_unit_test(test_padding_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
