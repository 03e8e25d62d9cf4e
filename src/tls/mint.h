/*
 * mint.h: certificates: one authority a sandbox, and a leaf for each host that a client inside talks to.
 *
 * All of it is ECDSA on P-256. Leaves share a key, which is made at the start; the last LEAVES_MAX of them are kept.
 */
#ifndef COFFER_TLS_MINT_H
#define COFFER_TLS_MINT_H

#include "base/err.h"
#include "policy/host.h"

#include <openssl/x509.h>
#include <stdio.h>

enum { MINT_LEAVES_MAX = 256 };

struct mint_leaf {
	char name[HOST_TEXT_MAX];
	X509 *cert;
	unsigned long long used; /* when, in turns */
};

struct mint {
	X509 *ca;
	EVP_PKEY *ca_key, *leaf_key;
	struct mint_leaf leaf[MINT_LEAVES_MAX];
	unsigned long long turn;
};

/* A new authority. 0 or -EIO. */
int mint_make_ca(X509 **ret_cert, EVP_PKEY **ret_key);
/* From PEM. An error when they do not belong together, when the certificate is none of an authority, or is out of date. */
int mint_read_ca(const char *cert_pem, const char *key_pem, X509 **ret_cert, EVP_PKEY **ret_key, struct err *err);

/* Takes the authority. 0 or -EIO. */
int mint_init(struct mint *mint, X509 *ca, EVP_PKEY *ca_key);
void mint_done(struct mint *mint);
/* A certificate for a name or an address, borrowed until the next call. NULL when there is no memory. */
X509 *mint_leaf(struct mint *mint, const struct host *host);

#endif
