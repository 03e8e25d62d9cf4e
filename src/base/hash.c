#include "base/hash.h"

#include <string.h>

/* FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_key[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
	0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
	0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
	0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void expand(const uint8_t *block, uint32_t w[64])
{
	for (size_t i = 0; i < 16; i++)
		w[i] = load(block + 4 * i);
	for (size_t i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

/* One round, in which the letters have moved on k times: instead of the values, their names do. */
__attribute__((always_inline)) static inline void turn(uint32_t v[8], size_t k, uint32_t word)
{
	uint32_t a = v[(8 - k) % 8], b = v[(9 - k) % 8], c = v[(10 - k) % 8];
	uint32_t e = v[(12 - k) % 8], f = v[(13 - k) % 8], g = v[(14 - k) % 8];
	uint32_t t1 = v[(15 - k) % 8] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + word;

	v[(11 - k) % 8] += t1;
	v[(15 - k) % 8] = t1 + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
}

/* 6.2.2. The letters are the standard's a to h. */
static void mix(struct sha256 *h, const uint8_t *block)
{
	uint32_t w[64], v[8];

	expand(block, w);
	memcpy(v, h->state, sizeof(v));
	for (size_t i = 0; i < 64; i += 8)
		for (size_t k = 0; k < 8;
		     k++) /* eight at once, so that a letter is a register and the turning of names is the compiler's */
			turn(v, k, round_key[i + k] + w[i + k]);
	for (size_t i = 0; i < 8; i++)
		h->state[i] += v[i];
}

void sha256_init(struct sha256 *h)
{
	/* 5.3.3: square roots of the first eight primes. */
	static const uint32_t start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(h->state, start, sizeof(start));
	h->total_bytes = 0;
}

void sha256_add(struct sha256 *h, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n > 0) {
		size_t held = h->total_bytes % sizeof(h->block), take = sizeof(h->block) - held;

		if (take > n)
			take = n;
		memcpy(h->block + held, p, take);
		h->total_bytes += take;
		p += take;
		n -= take;
		if (held + take == sizeof(h->block))
			mix(h, h->block);
	}
}

void sha256_done(struct sha256 *h, uint8_t ret_digest[SHA256_BYTES])
{
	static const uint8_t padding[64] = { 0x80 };
	uint64_t bits = h->total_bytes * 8;
	size_t held = h->total_bytes % 64;
	uint8_t length[8];

	for (size_t i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha256_add(h, padding, held < 56 ? 56 - held : 120 - held);
	sha256_add(h, length, sizeof(length));
	for (size_t i = 0; i < SHA256_BYTES; i++)
		ret_digest[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_hex(const uint8_t digest[SHA256_BYTES], char ret_hex[SHA256_BYTES * 2 + 1])
{
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		ret_hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		ret_hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	ret_hex[SHA256_BYTES * 2] = '\0';
}
