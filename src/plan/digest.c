/*
 * Theory of operation. A digest is shown to whoever reads a receipt, and two of the same secret would tell that it is the same, or, of a short one,
 * which. So what print.h shows as ••• is left out: of it a digest knows its place and length, and nothing else.
 */
#include "plan/print.h"
#include "plan/secret.h"

#include <string.h>

enum { ENVIRONMENT = 2 /* operand of EXEC */ };

struct digest {
	struct sha256 hash;
	const char *done; /* all before it has been taken in or left out */
};

/* Plans are written front to back, and so are their secrets found. */
static void leave_out(struct digest *d, const char *secret, size_t n)
{
	if (secret > d->done)
		sha256_add(&d->hash, d->done, (size_t)(secret - d->done));
	if (secret + n > d->done)
		d->done = secret + n;
}

static void leave_out_of(struct digest *d, const struct plan *plan, const struct plan_op *op)
{
	size_t n = 0;

	if (op->code == OP_EGRESS) {
		const char *secrets = plan_blob(plan, op, PLAN_EGRESS_SECRETS, &n);

		leave_out(d, secrets, n);
	}
	for (const char *s = NULL; op->code == OP_EXEC && (s = plan_list_next(plan, op, ENVIRONMENT, s));) {
		n = strcspn(s, "=");
		if (secret_is_name(s, n))
			leave_out(d, s + n, strlen(s + n));
	}
}

void plan_digest(const struct plan *plan, char ret_hex[SHA256_BYTES * 2 + 1])
{
	struct digest d = { .done = (const char *)plan->head };
	uint8_t digest[SHA256_BYTES];

	sha256_init(&d.hash);
	for (uint32_t i = 0; i < plan->head->op_count; i++)
		leave_out_of(&d, plan, &plan->op[i]);
	leave_out(&d, (const char *)plan->head + plan->size, 0);
	sha256_done(&d.hash, digest);
	sha256_hex(digest, ret_hex);
}
