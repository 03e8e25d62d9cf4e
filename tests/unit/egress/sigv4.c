#include "egress/sigv4.h"

#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SUITE_SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define S3_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define SUITE \
	"X-Amz-Date: 20150830T123600Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
#define S3 \
	"X-Amz-Date: 20130524T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"

/* The requests, keys and signatures that AWS publishes: its suite for Signature Version 4, and the examples of S3's reference. */
static const struct {
	const char *name, *head, *secret, *body_hex;
	enum sigv4_path path;
} vectors[] = {
	{ "get-vanilla",
	  "GET / HTTP/1.1\r\nHost:example.amazonaws.com\r\n" SUITE "SignedHeaders=host;x-amz-date, "
	  "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31\r\n\r\n",
	  SUITE_SECRET, EMPTY, SIGV4_PATH_ENCODED },
	{ "get-vanilla-query-order-key-case",
	  "GET /?Param2=value2&Param1=value1 HTTP/1.1\r\nHost:example.amazonaws.com\r\n" SUITE "SignedHeaders=host;x-amz-date, "
	  "Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500\r\n\r\n",
	  SUITE_SECRET, EMPTY, SIGV4_PATH_AS_SENT },
	{ "get-header-value-trim",
	  "GET / HTTP/1.1\r\nHost:example.amazonaws.com\r\nMy-Header1: value1\r\nMy-Header2: \"a   b   c\"\r\n" SUITE
	  "SignedHeaders=host;my-header1;my-header2;x-amz-date, "
	  "Signature=acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736\r\n\r\n",
	  SUITE_SECRET, EMPTY, SIGV4_PATH_AS_SENT },
	{ "post-vanilla",
	  "POST / HTTP/1.1\r\nHost:example.amazonaws.com\r\n" SUITE "SignedHeaders=host;x-amz-date, "
	  "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b\r\n\r\n",
	  SUITE_SECRET, EMPTY, SIGV4_PATH_AS_SENT },
	{ "post-x-www-form-urlencoded",
	  "POST / HTTP/1.1\r\nContent-Type:application/x-www-form-urlencoded\r\nHost:example.amazonaws.com\r\n" SUITE
	  "SignedHeaders=content-type;host;x-amz-date, "
	  "Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a\r\n\r\n",
	  SUITE_SECRET, "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e", SIGV4_PATH_AS_SENT },
	{ "S3: GET object",
	  "GET /test.txt HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\nRange: bytes=0-9\r\nx-amz-content-sha256: " EMPTY "\r\n" S3
	  "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
	  "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41\r\n\r\n",
	  S3_SECRET, "", SIGV4_PATH_AS_SENT },
	{ "S3: PUT object",
	  "PUT /test%24file.text HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\nDate: Fri, 24 May 2013 00:00:00 GMT\r\n"
	  "x-amz-storage-class: REDUCED_REDUNDANCY\r\n"
	  "x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\r\n" S3
	  "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
	  "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd\r\n\r\n",
	  S3_SECRET, "", SIGV4_PATH_AS_SENT },
	{ "S3: GET lifecycle",
	  "GET /?lifecycle HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\nx-amz-content-sha256: " EMPTY "\r\n" S3
	  "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
	  "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543\r\n\r\n",
	  S3_SECRET, "", SIGV4_PATH_AS_SENT },
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct sigv4_draft draft;
		char hex[SIGV4_HEX + 1];

		if (sigv4_draft(vectors[i].head, strlen(vectors[i].head), &draft) != 0)
			fail_msg("%s: no draft", vectors[i].name);
		sigv4_sign(&draft, vectors[i].path, vectors[i].secret, vectors[i].body_hex, hex);
		if (strcmp(hex, draft.signature) != 0)
			fail_msg("%s: %s", vectors[i].name, hex);
		assert_memory_equal(vectors[i].head + draft.signature_at, draft.signature, SIGV4_HEX);
	}
}

/* What is signed changes the signature: a byte of each part. */
static void test_parts(void **state)
{
	static const char *const parts[] = { "GET", "/test", "bytes=0-9", "host;range", "20130524T", "us-east-1", "examplebucket" };
	const char *head = vectors[5].head;
	char spoiled[1024], hex[SIGV4_HEX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(parts); i++) {
		struct sigv4_draft draft;

		snprintf(spoiled, sizeof(spoiled), "%s", head);
		strstr(spoiled, parts[i])[strlen(parts[i]) - 1] ^= 1;
		if (sigv4_draft(spoiled, strlen(spoiled), &draft) < 0)
			continue;
		sigv4_sign(&draft, SIGV4_PATH_AS_SENT, S3_SECRET, "", hex);
		if (strcmp(hex, draft.signature) == 0)
			fail_msg("%s", parts[i]);
	}
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"AWS4-HMAC-SHA256",
		"AWS4-HMAC-SHA256 Credential=a/1/2/3/aws4_request, SignedHeaders=host",
		"AWS4-HMAC-SHA256 Credential=a/1/2/3/4, SignedHeaders=host, Signature=" EMPTY,
		"AWS4-HMAC-SHA256 Credential=a/1/2/aws4_request, SignedHeaders=host, Signature=" EMPTY,
		"AWS4-HMAC-SHA256 Credential=/1/2/3/aws4_request, SignedHeaders=host, Signature=" EMPTY,
		"AWS4-HMAC-SHA256 Credential=a/1/2/3/aws4_request, SignedHeaders=, Signature=" EMPTY,
		"AWS4-HMAC-SHA256 Credential=a/1/2/3/aws4_request, SignedHeaders=host, Signature=ABC",
		"AWS4-HMAC-SHA256 Credential=a/1/2/3/aws4_request, SignedHeaders=host, Signature=" EMPTY ", X=y",
		"AWS4-ECDSA-P256-SHA256 Credential=a/1/2/3/aws4_request, SignedHeaders=host, Signature=" EMPTY,
	};
	struct sigv4_authorization a;
	struct sigv4_draft draft;
	static const char undated[] = "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a/1/2/3/aws4_request, "
				      "SignedHeaders=host, Signature=" EMPTY "\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (sigv4_read(bad[i], strlen(bad[i]), &a) != -EINVAL)
			fail_msg("%s", bad[i]);
	assert_int_equal(sigv4_draft(undated, sizeof(undated) - 1, &draft), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors), cmocka_unit_test(test_parts),
		                            cmocka_unit_test(test_malformed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
