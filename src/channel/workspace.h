/*
 * workspace.h: where a session of the channel works. The one place that knows how the directory is made; a plain one for now, below coffer's own data.
 */
#ifndef COFFER_CHANNEL_WORKSPACE_H
#define COFFER_CHANNEL_WORKSPACE_H

#include "base/err.h"
#include "base/path.h"

#include <coffer.h>
#include <jansson.h>

struct workspace_wish {
	const char *kind; /* "ephemeral", "persistent" */
	const char *id;   /* of a persistent one */
};

/*
 * Lets the policy write to the workspace of a session that is to be made with these options, and sets where it works. A persistent one is made when there is none; an
 * ephemeral one comes and goes with the session.
 */
int workspace_give(struct coffer *coffer, const struct workspace_wish *wish, struct coffer_policy *policy,
                   struct coffer_session_options *options, struct err *err);
/* A persistent one's end. Nobody may be using it. */
int workspace_remove(struct coffer *coffer, const char *id, struct err *err);

#endif
