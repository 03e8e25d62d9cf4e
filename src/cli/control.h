/*
 * control.h: other settings while a command runs, one JSON document a line (--control-fd), as in srt.
 */
#ifndef COFFER_CLI_CONTROL_H
#define COFFER_CLI_CONTROL_H

#include "base/str.h"

#include <coffer.h>

struct control {
	struct coffer_request *request;
	struct str line; /* as far as it has come */
	bool skipping;   /* the rest of a line that is too long */
	/* A policy for a document that is about to be read. */
	int (*new_policy)(void *context, struct coffer_policy **ret_policy, struct coffer_error *error);
	/* A line that was of no use: what was in force still is. policy has its problems, or is NULL. */
	void (*refused)(void *context, const struct coffer_policy *policy, const struct coffer_error *error);
	void *context;
};

void control_init(struct control *control);
/* What came; each whole line is obeyed. Empty lines say nothing. */
void control_take(struct control *control, const char *bytes, size_t n);

#endif
