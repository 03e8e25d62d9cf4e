/*
 * workspaces.h: working trees of which nothing reaches the host until somebody says so: for one run (`coffer try`), or for a session.
 *
 * What is in one, and what becomes of it, is src/workspace's matter; that a sandbox works in it is compile's. Here the two are brought together, and what the
 * policy has to say about what leaves: places that make the host execute something.
 */
#ifndef COFFER_SESSION_WORKSPACES_H
#define COFFER_SESSION_WORKSPACES_H

#include "session/run.h"
#include "workspace/apply.h"
#include "workspace/print.h"
#include "workspace/seal.h"
#include "workspace/workspace.h"

/*
 * Makes one on a host directory, or on nothing (base NULL), locked: an overlay where this machine and the data directory can have one, unless
 * `stage`; id NULL: a random one.
 */
int workspaces_create(const struct session *session, const char *base, const char *id, bool stage, struct workspace **ret_workspace,
                      struct err *err);
/* What compile has to know of it to show it at `path`. */
int workspaces_input(struct workspace *workspace, const char *path, struct arena *arena, struct input_workspace *ret_input,
                     struct err *err);

/*
 * session_run in a workspace of its own on the working directory. Afterwards its base is sealed; a workspace in which nothing was changed is gone. *ret_id: its
 * name, in the arena, or NULL.
 */
int workspaces_try(const struct session *session, const struct session_request *request, struct arena *arena,
                   struct session_result *ret_result, const char **ret_id, struct err *err);

/* Opens one by its name, or NULL: the latest that is on the directory cwd, or on one around it. Without `lock` it is only looked at. */
int workspaces_open(const struct session *session, const char *id, const char *cwd, struct workspace **ret_workspace, struct err *err);

/* workspace_apply, with the gates of the default policy of this user. */
int workspaces_apply(struct workspace *workspace, struct apply_options *options, struct apply_result *ret_result, struct err *err);

void workspaces_print(const struct workspace_info_vec *list, struct str *out);
/* Its layers, oldest first. */
void workspaces_print_log(const struct workspace *workspace, struct str *out);
void workspaces_print_log_json(const struct workspace *workspace, struct str *out);
void workspaces_print_json(const struct workspace_info_vec *list, struct str *out);

#endif
