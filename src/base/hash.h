/* hash.h: SHA-256 (FIPS 180-4), for the digest of plans. Not for secrets: no constant-time promise is needed here. */
#ifndef COFFER_BASE_HASH_H
#define COFFER_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32 };

struct sha256 {
	uint32_t state[8];
	uint64_t total_bytes;
	uint8_t block[64];
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *bytes, size_t n);
void sha256_done(struct sha256 *h, uint8_t ret_digest[SHA256_BYTES]);
void sha256_hex(const uint8_t digest[SHA256_BYTES], char ret_hex[SHA256_BYTES * 2 + 1]);

#endif
