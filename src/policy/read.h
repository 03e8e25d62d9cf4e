/*
 * read.h: from text to a policy: settings documents, and single settings as options name them.
 *
 * A document adds to the policy that it is read into: lists grow, other fields are replaced. Nothing is applied when anything is
 * wrong, and everything that is wrong is in `faults`. A document that names a profile starts from that: the profile is read
 * first, and what the document itself says only tightens it (policy_tighten in merge.h).
 *
 * In coffer's dialect an unknown key is an error. In srt's it is ignored, srt's obligatory keys must be there, and coffer's own
 * keys count as well.
 */
#ifndef COFFER_POLICY_READ_H
#define COFFER_POLICY_READ_H

#include "policy/fault.h"
#include "policy/schema.h"

struct policy_document {
	const char *text;
	size_t n;
	const char *source; /* "settings.json": how messages and provenance name it */
	enum policy_dialect dialect;
};

/* Returns 0; -ENOMEM; or -EINVAL, -ENOTSUP with the first fault in err. faults may be NULL. */
int policy_read(struct policy *policy, struct arena *arena, const struct policy_document *document, struct fault_vec *faults,
                struct err *err);

/* One setting, in the text form of an option: "512M", "true", "NAME=VALUE" (or "NAME": as the caller has it), one path. */
struct policy_word {
	const struct policy_field *field;
	const char *value; /* NULL: true, for a BOOL */
	const char *why;   /* "--memory" */
};
int policy_set(struct policy *policy, struct arena *arena, const struct policy_word *word, struct fault_vec *faults, struct err *err);

#endif
