#include "plan/print.h"

void plan_digest(const struct plan *plan, char ret_hex[SHA256_BYTES * 2 + 1])
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, plan->head, plan->size);
	sha256_done(&h, digest);
	sha256_hex(digest, ret_hex);
}
