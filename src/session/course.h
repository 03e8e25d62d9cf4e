/*
 * course.h: one run, or the making of one session, from policy to deed. Private to src/session: run.c and sessions.c are its two callers.
 */
#ifndef COFFER_SESSION_COURSE_H
#define COFFER_SESSION_COURSE_H

#include "compile/compile.h"
#include "engine/live.h"
#include "session/run.h"

/* What a session needs that a run has no use for. */
struct course_birth {
	struct live_start start; /* but for run_id, state_dir, launcher */
	int listener, lock;
	int tree; /* the workspace's lock, or the session's once more */
};

struct course {
	const struct session *session;
	const struct session_request *request;
	struct arena *arena;
	struct inputs inputs;
	struct survey survey;
	uint32_t refused_op; /* of the plan, where the engine says ERR_UNSUPPORTED */
	struct text_vec noted;
	const struct course_birth *birth; /* NULL: it is a run */
	struct session_result result;
};

/* The name of a run that is only explained. */
extern const char course_explained[STATE_RUN_ID_MAX];

/* For the engine: the request's streams and listeners, whose context is the course. */
void course_options(struct course *course, struct engine_run_options *ret_options);
/* When the engine has an outcome; err as the engine left it. 0. */
int course_finish(struct course *course, struct session_result *ret_result, struct err *err);

/* -EINVAL: there is no command. */
int course_begin(struct course *course, const struct session *session, const struct session_request *request, struct arena *arena);
/* Inputs; when result.run_id has been set. */
int course_gather(struct course *course, struct err *err);
int course_plan(struct course *course, struct err *err);
/* The deed, with as many other plans as the kernel makes necessary. */
int course_carry_out(struct course *course, struct err *err);

#endif
