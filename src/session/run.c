#include "session/run.h"

#include "base/own.h"
#include "engine/engine.h"
#include "session/course.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <string.h>

enum { SESSION_ARENA_MAX = 1 << 20 };

int session_open(struct session *ret_session, struct err *err)
{
	struct session session = { 0 };
	arena_init(&session.arena, SESSION_ARENA_MAX);
	int r = engine_probe(&session.arena, &session.facts, err);
	if (r == 0)
		r = state_dir_find(&session.arena, &session.state_dir, err);
	if (r == 0)
		r = state_data_find(&session.arena, &session.data_dir, err);
	if (r < 0) {
		arena_done(&session.arena);
		return r;
	}
	*ret_session = session;
	return 0;
}

void session_close(struct session *session)
{
	arena_done(&session->arena);
}

struct session_request session_request_plain(const struct policy *policy, const char *const *env, const char *cwd)
{
	static const char *const nothing[] = { "true", NULL };

	return (struct session_request){ .policy = policy,
		                         .argv = nothing,
		                         .env = env,
		                         .cwd = cwd,
		                         .stdin_fd = -1,
		                         .stdout_fd = -1,
		                         .stderr_fd = -1,
		                         .cancel_fd = -1,
		                         .control_fd = -1,
		                         .rules_fd = -1 };
}

int session_plan(const struct session *session, const struct session_request *request, struct arena *arena,
                 struct session_result *ret_result, struct err *err)
{
	struct course course;
	if (course_begin(&course, session, request, arena) < 0)
		return err_set(err, ERR_USAGE, EINVAL, "there is no command to explain");
	memcpy(course.result.run_id, course_explained, sizeof(course_explained));
	int r = course_gather(&course, err);
	if (r == 0)
		r = course_plan(&course, err);
	if (r == 0)
		*ret_result = course.result;
	return r;
}

int session_run(const struct session *session, const struct session_request *request, struct arena *arena,
                struct session_result *ret_result, struct err *err)
{
	struct err own = { 0 };
	struct course course;
	err = err ? err : &own; /* the step down reads it */
	if (course_begin(&course, session, request, arena) < 0)
		return err_set(err, ERR_USAGE, EINVAL, "there is no command to run");
	int r = state_run_id(course.result.run_id, err);
	if (r == 0)
		r = state_dir_make(session->state_dir, err);
	if (r == 0)
		r = course_gather(&course, err);
	if (r == 0)
		r = course_plan(&course, err);
	if (r == 0)
		r = course_carry_out(&course, err);
	if (r < 0)
		return r;
	return course_finish(&course, ret_result, err);
}

bool session_wants_stage(const struct err *err)
{
	return err->code == ERR_UNSUPPORTED && strcmp(err->where, COMPILE_WHY_OVERLAY) == 0;
}

static int write_network_rules(struct course *course, struct err *err)
{
	autostr struct str text = { 0 };
	int r = course_gather(course, err);

	if (r < 0)
		return r;
	if (course->result.policy.network.mode == POLICY_NETWORK_HOST)
		return err_set(err, ERR_POLICY, EINVAL, "network.mode: \"host\" is out of reach of a run whose network is filtered");
	str_init(&text, COMPILE_RULES_MAX);
	compile_network_rules(&course->result.policy, &course->inputs, &course->session->facts, course->arena, &text);
	r = text.failed ? -ENOMEM : fd_sealed("coffer-egress-rules", text.text, text.len);
	return r < 0 ? err_set(err, ERR_LIMIT, -r, "no memory file for the rules: %s", strerror(-r)) : r;
}

int session_send_rules(const struct session *session, const struct session_request *request, int socket, struct err *err)
{
	struct arena arena;
	struct course course;
	int r;

	arena_init(&arena, SESSION_ARENA_MAX);
	course = (struct course){ .session = session, .request = request, .arena = &arena };
	memcpy(course.result.run_id, course_explained, sizeof(course_explained)); /* no authority is made: there is one */

	autofd int rules = write_network_rules(&course, err);

	arena_done(&arena);
	if (rules < 0)
		return rules;
	r = sock_send_fd(socket, "R", 1, rules);
	return r < 0 ? err_set(err, ERR_BUSY, -r, "the run has not taken the rules of before yet") : 0;
}

int session_send_decider(int socket, int in, int out, struct err *err)
{
	const char kinds[] = { ENGINE_DECIDER_OUT, ENGINE_DECIDER_IN };
	int r = sock_send_fd(socket, &kinds[0], 1, out);

	if (r >= 0)
		r = sock_send_fd(socket, &kinds[1], 1, in);
	return r < 0 ? err_set(err, ERR_USAGE, -r, "the decider's stream: %s", strerror(-r)) : 0;
}

int session_gc(const struct session *session, struct err *err)
{
	int r = state_dir_make(session->state_dir, err);
	return r < 0 ? r : engine_gc(session->state_dir, err);
}
