#include "tls/mint.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

enum { DAY = 24 * 60 * 60, CA_DAYS = 30, LEAF_DAYS = 7, SERIAL_BYTES = 16, EXTENSION_MAX = HOST_TEXT_MAX + 16 };

struct extension {
	int nid;
	const char *value;
};

static int add_extension(X509 *cert, X509 *issuer, struct extension wanted)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	int ok;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, wanted.nid, wanted.value);
	ok = extension && X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	return ok ? 0 : -EIO;
}

/* Random, so that two authorities of the same name never have issued the same number. */
static int set_serial(X509 *cert)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number = RAND_bytes(bytes, sizeof(bytes)) == 1 ? BN_bin2bn(bytes, sizeof(bytes), NULL) : NULL;
	int ok = number && BN_clear_bit(number, 8 * SERIAL_BYTES - 1) >= 0 && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));

	BN_free(number);
	return ok ? 0 : -EIO;
}

static int set_subject(X509 *cert, const char *name)
{
	enum { COMMON_NAME_MAX = 64 };
	X509_NAME *subject = X509_get_subject_name(cert);
	int ok = X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"coffer", -1, -1, 0);

	/* A longer name than X.520 has room for is in the subjectAltName, where it counts. */
	if (ok && strlen(name) <= COMMON_NAME_MAX)
		ok = X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	return ok ? 0 : -EIO;
}

/* A certificate with all but its extensions; a day old already, for clocks differ. */
static X509 *begin(const char *name, EVP_PKEY *key, X509 *issuer, int days)
{
	X509 *cert = X509_new();
	int ok = cert && X509_set_version(cert, X509_VERSION_3) && set_serial(cert) == 0 && set_subject(cert, name) == 0;

	ok = ok && X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)) && X509_set_pubkey(cert, key) &&
	     X509_gmtime_adj(X509_getm_notBefore(cert), -DAY) && X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * DAY);
	if (ok)
		return cert;
	X509_free(cert);
	return NULL;
}

static int add_extensions(X509 *cert, X509 *issuer, const struct extension *list, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = add_extension(cert, issuer, list[i]);
	return r;
}

int mint_make_ca(X509 **ret_cert, EVP_PKEY **ret_key)
{
	static const struct extension extensions[] = {
		{ NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
		{ NID_key_usage, "critical,keyCertSign,cRLSign" },
		{ NID_subject_key_identifier, "hash" },
	};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? begin("coffer sandbox", key, NULL, CA_DAYS) : NULL;

	if (cert && add_extensions(cert, cert, extensions, sizeof(extensions) / sizeof(extensions[0])) == 0 &&
	    X509_sign(cert, key, EVP_sha256())) {
		*ret_cert = cert;
		*ret_key = key;
		return 0;
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return -EIO;
}

/* ---- somebody's own authority ---- */

static BIO *text_bio(const char *text)
{
	return BIO_new_mem_buf(text, -1);
}

static const char *find_fault(X509 *cert, EVP_PKEY *key)
{
	if (!cert)
		return "no certificate in PEM";
	if (!key)
		return "no private key in PEM, or one with a passphrase";
	if (X509_check_private_key(cert, key) != 1)
		return "the key is not the certificate's";
	if (X509_check_ca(cert) != 1)
		return "the certificate is not that of an authority (basicConstraints CA:TRUE)";
	if (X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0)
		return "the certificate has expired";
	return X509_cmp_current_time(X509_get0_notBefore(cert)) > 0 ? "the certificate is not valid yet" : NULL;
}

static int no_passphrase(char *text, int room, int writing, void *context)
{
	(void)text;
	(void)room;
	(void)writing;
	(void)context;
	return -1;
}

int mint_read_ca(const char *cert_pem, const char *key_pem, X509 **ret_cert, EVP_PKEY **ret_key, struct err *err)
{
	BIO *cert_bio = text_bio(cert_pem), *key_bio = text_bio(key_pem);
	X509 *cert = cert_bio ? PEM_read_bio_X509(cert_bio, NULL, no_passphrase, NULL) : NULL;
	EVP_PKEY *key = key_bio ? PEM_read_bio_PrivateKey(key_bio, NULL, no_passphrase, NULL) : NULL;
	const char *fault = find_fault(cert, key);

	BIO_free(cert_bio);
	BIO_free(key_bio);
	if (!fault) {
		*ret_cert = cert;
		*ret_key = key;
		return 0;
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return err_set(err, ERR_POLICY, EINVAL, "%s", fault);
}

/* ---- leaves ---- */

int mint_init(struct mint *mint, X509 *ca, EVP_PKEY *ca_key)
{
	*mint = (struct mint){ .ca = ca, .ca_key = ca_key, .leaf_key = EVP_EC_gen("P-256") };
	return mint->leaf_key ? 0 : -EIO;
}

void mint_done(struct mint *mint)
{
	for (size_t i = 0; i < MINT_LEAVES_MAX; i++)
		X509_free(mint->leaf[i].cert);
	EVP_PKEY_free(mint->leaf_key);
	EVP_PKEY_free(mint->ca_key);
	X509_free(mint->ca);
}

/* An authority that is itself out of date soon is no reason to outlive it. */
static int end_with_ca(X509 *cert, X509 *ca)
{
	const ASN1_TIME *last = X509_get0_notAfter(ca);

	return ASN1_TIME_compare(X509_get0_notAfter(cert), last) > 0 ? X509_set1_notAfter(cert, last) : 1;
}

static X509 *make_leaf(struct mint *mint, const struct host *host)
{
	char names[EXTENSION_MAX];
	const struct extension extensions[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, "serverAuth" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid,issuer" },
		{ NID_subject_alt_name, names },
	};
	size_t n = sizeof(extensions) / sizeof(extensions[0]);
	X509 *cert = begin(host->text, mint->leaf_key, mint->ca, LEAF_DAYS);

	snprintf(names, sizeof(names), "%s:%s", host->kind == HOST_NAME ? "DNS" : "IP", host->text);
	if (cert && add_extensions(cert, mint->ca, extensions, n) == 0 && end_with_ca(cert, mint->ca) &&
	    X509_sign(cert, mint->ca_key, EVP_sha256()))
		return cert;
	X509_free(cert);
	return NULL;
}

X509 *mint_leaf(struct mint *mint, const struct host *host)
{
	struct mint_leaf *slot = &mint->leaf[0];

	mint->turn++;
	for (size_t i = 0; i < MINT_LEAVES_MAX; i++) {
		struct mint_leaf *leaf = &mint->leaf[i];

		if (leaf->cert && strcmp(leaf->name, host->text) == 0) {
			leaf->used = mint->turn;
			return leaf->cert;
		}
		if (leaf->used < slot->used)
			slot = leaf;
	}
	X509_free(slot->cert);
	slot->cert = make_leaf(mint, host);
	slot->used = slot->cert ? mint->turn : 0;
	snprintf(slot->name, sizeof(slot->name), "%s", host->text);
	return slot->cert;
}
