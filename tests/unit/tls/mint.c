#include "tls/mint.h"

#include "unit/unit.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

static struct mint mint;

static int set_up(void **state)
{
	X509 *cert;
	EVP_PKEY *key;

	(void)state;
	if (mint_make_ca(&cert, &key) < 0)
		return -1;
	return mint_init(&mint, cert, key);
}

static int tear_down(void **state)
{
	(void)state;
	mint_done(&mint);
	return 0;
}

static struct host host_of(const char *text)
{
	struct host host;

	assert_int_equal(host_parse(text, strlen(text), &host), 0);
	return host;
}

static int verify(X509 *leaf, const char *name, bool is_address)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int ok;

	X509_STORE_add_cert(store, mint.ca);
	X509_STORE_CTX_init(context, store, leaf, NULL);
	X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
	if (is_address)
		X509_VERIFY_PARAM_set1_ip_asc(X509_STORE_CTX_get0_param(context), name);
	else
		X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context), name, 0);
	X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
	ok = X509_verify_cert(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return ok;
}

static void test_leaves(void **state)
{
	struct host name = host_of("a.example.com"), four = host_of("192.0.2.1"), six = host_of("[2001:db8::1]"),
		    odd = host_of("x_y.example.com");

	(void)state;
	assert_int_equal(verify(mint_leaf(&mint, &name), "a.example.com", false), 1);
	assert_int_equal(verify(mint_leaf(&mint, &name), "b.example.com", false), 0);
	assert_int_equal(verify(mint_leaf(&mint, &four), "192.0.2.1", true), 1);
	assert_int_equal(verify(mint_leaf(&mint, &six), "2001:db8::1", true), 1);
	assert_int_equal(verify(mint_leaf(&mint, &odd), "x_y.example.com", false), 1);
	assert_int_equal(X509_check_ca(mint_leaf(&mint, &name)), 0);
	assert_int_equal(X509_check_private_key(mint_leaf(&mint, &name), mint.leaf_key), 1);
}

static void test_long_name(void **state)
{
	char text[HOST_TEXT_MAX];
	struct host host;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (int i = 49; i < 253; i += 50)
		text[i] = '.';
	host = host_of((text[250] = '\0', text));
	assert_int_equal(verify(mint_leaf(&mint, &host), host.text, false), 1);
}

static void test_kept_and_bounded(void **state)
{
	struct host first = host_of("first.test");
	X509 *cert = mint_leaf(&mint, &first);
	char text[40];

	(void)state;
	for (int i = 0; i < 3 * MINT_LEAVES_MAX; i++) {
		struct host host;

		snprintf(text, sizeof(text), "h%d.test", i);
		host = host_of(text);
		assert_non_null(mint_leaf(&mint, &host));
		if (i % 100 == 0)
			assert_ptr_equal(mint_leaf(&mint, &first), cert); /* used now and then: kept */
	}
}

static const char *pem_of_cert(X509 *cert)
{
	static char text[8192];
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, cert);
	text[BIO_read(bio, text, sizeof(text) - 1)] = '\0';
	BIO_free(bio);
	return text;
}

static void test_read_ca(void **state)
{
	struct host name = host_of("a.example.com");
	struct err err = { 0 };
	char key_text[4096];
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *cert;
	EVP_PKEY *key;

	(void)state;
	PEM_write_bio_PrivateKey(bio, mint.ca_key, NULL, NULL, 0, NULL, NULL);
	key_text[BIO_read(bio, key_text, sizeof(key_text) - 1)] = '\0';
	BIO_free(bio);
	assert_int_equal(mint_read_ca(pem_of_cert(mint.ca), key_text, &cert, &key, &err), 0);
	X509_free(cert);
	EVP_PKEY_free(key);
	assert_int_not_equal(mint_read_ca("", key_text, &cert, &key, &err), 0);
	assert_int_not_equal(mint_read_ca(pem_of_cert(mint.ca), "", &cert, &key, &err), 0);
	assert_int_not_equal(mint_read_ca(pem_of_cert(mint_leaf(&mint, &name)), key_text, &cert, &key, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_kept_and_bounded),
		cmocka_unit_test(test_read_ca),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
