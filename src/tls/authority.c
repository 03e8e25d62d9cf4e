/*
 * Theory of operation. Whoever plans a sandbox wants the authority before the filter runs: its certificate lies in the sandbox. So the same program
 * is asked for one first: a certificate and a key go out, made anew, or those that came in once they have been looked at.
 */
#include "tls/mint.h"
#include "tls/tls.h"

#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

enum { PEM_MAX = 256 << 10, OK = 0, FAILED = 1 };

/* Certificate and key as one text: PEM says which is which. */
static size_t read_input(char *text, size_t room)
{
	size_t n = 0;
	ssize_t got;

	while (n + 1 < room && (got = read(STDIN_FILENO, text + n, room - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	return n;
}

static int write_both(X509 *cert, EVP_PKEY *key)
{
	int ok = PEM_write_X509(stdout, cert) && PEM_write_PrivateKey(stdout, key, NULL, NULL, 0, NULL, NULL);

	X509_free(cert);
	EVP_PKEY_free(key);
	return ok && fflush(stdout) == 0 ? OK : FAILED;
}

int tls_make_ca(void)
{
	static char text[PEM_MAX];
	struct err err = { 0 };
	X509 *cert;
	EVP_PKEY *key;
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);

	int r = read_input(text, sizeof(text)) ? mint_read_ca(text, text, &cert, &key, &err) : mint_make_ca(&cert, &key);

	if (r == 0)
		return write_both(cert, key);
	fprintf(stderr, "%s", err.text[0] ? err.text : "OpenSSL makes no certificate");
	return FAILED;
}
