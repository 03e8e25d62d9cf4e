/*
 * target.h: the path of a request, as it is spelled and as others may read it.
 *
 * Who serves it may resolve "." and "..", also as %2e, take "\" for "/", join slashes, and decode what need not be encoded. A rule has to hold
 * for both readings. Where they are different paths (dot segments, slashes at the start, "\"), what is sent on is the policy's to say.
 */
#ifndef COFFER_EGRESS_TARGET_H
#define COFFER_EGRESS_TARGET_H

#include "egress/head.h"

struct target {
	char spelled[HEAD_BYTES_MAX + 1]; /* without the query */
	char plain[HEAD_BYTES_MAX + 1];   /* the other reading: all of it resolved, joined and decoded */
	bool ambiguous;
	char normalized[HEAD_BYTES_MAX + 1]; /* what is sent in its place when it is to be normalized; with the query */
};

/* path begins with "/" or is empty ("/" is meant), and may have a query. -EINVAL for bytes that no path has, and for %00. */
int target_read(struct head_text path, struct target *ret_target);

#endif
