/*
 * Theory of operation
 *
 * A run is a straight line. What it needs of the world besides the request is gathered first, in one value, `struct inputs`: the
 * working directory with its links resolved, the home, the run's name. From then on compile decides everything and the engine does
 * everything; this file only hands results from one to the other.
 *
 * There are three bends, all before anything of the command has run. Facts are read from files, and a kernel may refuse namespaces for
 * reasons that no file tells (a full count of namespaces, a security module), or their use. Then the engine reports what was refused, and the
 * same request is compiled once more, for a machine "without user namespaces, because …". If the policy does not accept the second rung of the
 * ladder, compile says so with the fix; if it does, the plan's notes tell, and so does the receipt. There is no third try.
 *
 * And whether a file system lets root's files be shown as the sandbox's is known after a try. Where TREE_IDMAP was refused the survey is told so
 * for all that is on that file system, and the plan is made without; each time round there is one file system less to ask.
 *
 * (An overlay that was refused is no such bend: what takes its place, a copy, is the caller's to make. session_wants_stage.)
 *
 * And a process has one filter with a listener at most. Where somebody around us has it, SECCOMP is refused, and init answers no calls.
 */
#include "session/run.h"

#include "base/own.h"
#include "compile/compile.h"
#include "engine/engine.h"
#include "policy/check.h"
#include "session/place.h"
#include "session/secrets.h"
#include "session/why.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SESSION_ARENA_MAX = 1 << 20, EXIT_NOT_EXECUTABLE = 126 /* and 127: not found */ };

static const char explained_run[STATE_RUN_ID_MAX] = "000000000000";

/* One run while it is prepared. */
struct course {
	const struct session *session;
	const struct session_request *request;
	struct arena *arena;
	struct inputs inputs;
	struct survey survey;
	uint32_t refused_op; /* of the plan, where the engine says ERR_UNSUPPORTED */
	struct session_result result;
};

int session_open(struct session *ret_session, struct err *err)
{
	struct session session = { 0 };
	arena_init(&session.arena, SESSION_ARENA_MAX);
	int r = engine_probe(&session.arena, &session.facts, err);
	if (r == 0)
		r = state_dir_find(&session.arena, &session.state_dir, err);
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

/* coffer's own state is nothing that a run may write, wherever it is. Into a new list: the old one is shared with the caller's policy. */
static int protect_state(struct course *course)
{
	const struct text_vec *old = &course->request->policy->settings;
	struct text_vec *files = &course->result.policy.settings;
	*files = (struct text_vec){ 0 };
	for (size_t i = 0; i <= old->n; i++) {
		const char **slot = text_vec_add(files, course->arena);
		if (!slot)
			return -ENOMEM;
		*slot = i < old->n ? old->at[i] : course->session->state_dir;
	}
	return 0;
}

/* The caller's policy may be in use by other threads; policy_resolve changes nothing that a copy shares with it. */
static int resolve_copy(struct course *course, struct err *err)
{
	struct fault_vec faults = { 0 };
	course->result.policy = *course->request->policy;
	if (protect_state(course) < 0)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for the policy");
	int r = policy_resolve(&course->result.policy, course->arena, course->inputs.cwd, course->inputs.home, err);

	if (r == 0)
		r = policy_check(&course->result.policy, course->arena, &faults);
	return r < 0 ? r : policy_faults_err(&faults, err);
}

static int gather(struct course *course, struct err *err)
{
	const struct session_request *request = course->request;
	course->inputs.argv = request->argv;
	course->inputs.env = request->env;
	course->inputs.terminal = request->terminal;
	if (request->workspace)
		course->inputs.workspace = *request->workspace;
	course->inputs.keep_stdin_null = request->stdin_fd < 0;
	course->inputs.run_id = course->result.run_id;
	course->inputs.scratch_top = course->session->state_dir;
	course->inputs.survey = &course->survey;
	course->result.facts = course->session->facts;
	if (course->result.facts.sandbox_uid)
		course->result.facts.sandbox_uid += state_run_bits(course->result.run_id);
	struct session_place place;
	int r = session_place_find(request->env, request->cwd, course->arena, &place, err);
	if (r < 0)
		return r;
	course->inputs.cwd = course->result.cwd = place.cwd;
	course->inputs.home = place.home;
	course->inputs.user = place.user;
	r = resolve_copy(course, err);
	if (r < 0)
		return r;
	return secrets_gather(&course->result.policy, strcmp(course->result.run_id, explained_run) == 0, course->arena, &course->inputs,
	                      err);
}

static int make_plan(struct course *course, struct err *err)
{
	struct session_result *result = &course->result;
	struct question_vec questions = { 0 };
	int r = 0;
	if (!result->facts.user_namespaces)
		r = state_scratch_find(course->arena, result->facts.sandbox_uid ? NULL : course->session->state_dir,
		                       &course->inputs.scratch_top, err);
	if (r == 0)
		r = compile_questions(&result->policy, &course->inputs, &result->facts, course->arena, &questions, err);
	if (r == 0)
		r = engine_survey(&questions, course->arena, &course->survey, err);
	if (r == 0)
		r = compile(&result->policy, &course->inputs, &result->facts, course->arena, &result->plan, err);
	return r;
}

static void tell(const struct session_request *request, const struct session_event *event)
{
	if (request->on_event)
		request->on_event(request->context, event);
}

/* The engine's events are the session's, but for the remedy, which only the policy knows. */
static void on_engine_event(void *context, const struct engine_event *event)
{
	struct course *course = context;
	static const enum session_event_type types[] = {
		[ENGINE_STARTED] = SESSION_STARTED,       [ENGINE_OUTPUT] = SESSION_OUTPUT,   [ENGINE_DENIED] = SESSION_DENIED,
		[ENGINE_CONNECTION] = SESSION_CONNECTION, [ENGINE_CONTROL] = SESSION_CONTROL, [ENGINE_LIMITED] = SESSION_LIMITED,
		[ENGINE_EXITED] = SESSION_EXITED
	};
	struct session_event out = { .type = types[event->type],
		                     .stream = event->stream,
		                     .bytes = event->bytes,
		                     .len = event->len,
		                     .connection = event->connection,
		                     .cause = event->cause };
	struct denial denial;
	if (event->type == ENGINE_DENIED && event->denial) {
		denial = *event->denial;
		why_explain(&course->result.policy, &denial, course->arena);
		out.denial = &denial;
	}
	tell(course->request, &out);
}

/* Builds with -Dtorture=true only: the operation that COFFER_TORTURE_OP names fails. */
static int torture_op(void)
{
#ifdef COFFER_TORTURE
	const char *text = getenv("COFFER_TORTURE_OP");

	return text ? (int)strtol(text, NULL, 10) : -1;
#else
	return -1;
#endif
}

static int carry_out(struct course *course, struct err *err)
{
	const struct session_request *request = course->request;
	struct engine_run_options options;
	engine_run_options_init(&options);
	options.stdin_fd = request->stdin_fd;
	options.stdout_fd = request->stdout_fd;
	options.stderr_fd = request->stderr_fd;
	options.cancel_fd = request->cancel_fd;
	options.control_fd = request->control_fd;
	options.rules_fd = request->rules_fd;
	options.forward = request->forward;
	options.on_event = request->on_event ? on_engine_event : NULL;
	options.context = course;
	options.launcher = course->session->launcher;
	options.run_id = course->result.run_id;
	options.state_dir = course->session->state_dir;
	options.refused_op = &course->refused_op;
	options.torture_op = torture_op();
	int r = course->result.facts.user_namespaces ? 0 : state_scratch_make(course->inputs.scratch_top, err);
	if (r < 0)
		return r;
	tell(request, &(struct session_event){ .type = SESSION_PLANNED, .plan = &course->result.plan });
	return engine_run(&course->result.plan, &options, course->arena, &course->result.outcome, err);
}

/* The operation that the kernel refused, where another plan may do. */
static const struct plan_op *refused(const struct course *course, int r, const struct err *err, enum plan_opcode code)
{
	const struct plan *plan = &course->result.plan;
	const struct plan_op *op;

	if (r == 0 || err->code != ERR_UNSUPPORTED || !plan->head || course->refused_op >= plan->head->op_count)
		return NULL;
	op = &plan->op[course->refused_op];
	return op->code == code ? op : NULL;
}

/* What is on the same file system as the tree that TREE_IDMAP was to change, keeps its owners. Returns whether that is news. */
static bool keep_owners(struct course *course, const struct plan_op *idmap)
{
	const struct plan *plan = &course->result.plan;
	bool news = false;

	for (const struct plan_op *op = plan->op; op < idmap; op++) {
		if (op->code != OP_HOST_TREE || plan_number(op, 0) != plan_number(idmap, 0))
			continue;
		for (size_t i = 0; i < course->survey.entries.n; i++) {
			struct survey_entry *entry = &course->survey.entries.at[i];

			news = news || (entry->dev == plan_number(op, 3) && !entry->keeps_owners);
			entry->keeps_owners = entry->keeps_owners || entry->dev == plan_number(op, 3);
		}
	}
	return news;
}

static int carry_out_anyhow(struct course *course, struct err *err)
{
	struct session_result *result = &course->result;
	int r = carry_out(course, err);

	for (const struct plan_op *op; (op = refused(course, r, err, OP_TREE_IDMAP)) && keep_owners(course, op);) {
		err_clear(err);
		r = compile(&result->policy, &course->inputs, &result->facts, course->arena, &result->plan, err);
		if (r == 0)
			r = carry_out(course, err);
	}
	return r;
}

/* Whether the run may do without namespaces is compile's to say, with the fix. */
static int step_down(struct course *course, const char *what, struct err *err)
{
	struct facts *facts = &course->result.facts;
	facts->user_namespaces = false;
	facts->user_namespaces_why = arena_printf(course->arena, "the kernel refused %s: %s", what, strerror(err->errnum));
	err_clear(err);
	int r = make_plan(course, err);
	return r < 0 ? r : carry_out(course, err);
}

/* Inside another sandbox that listens: then nothing is told, and what init would have to do is compile's to refuse. */
static int do_without_listener(struct course *course, struct err *err)
{
	course->result.facts.seccomp_notify = false;
	err_clear(err);
	int r = make_plan(course, err);
	return r < 0 ? r : carry_out(course, err);
}

/* Then only programs that go by proxy variables reach the filter, and the others nobody. */
static int do_without_redirect(struct course *course, struct err *err)
{
	course->result.facts.nftables = false;
	err_clear(err);
	int r = make_plan(course, err);
	return r < 0 ? r : carry_out(course, err);
}

/* A plan that the kernel refuses, before anything of the command has run, is made again without what was refused. */
static int carry_out_or_less(struct course *course, struct err *err)
{
	int r = carry_out_anyhow(course, err);
	if (refused(course, r, err, OP_SPAWN))
		r = step_down(course, "them", err);
	else if (refused(course, r, err, OP_IDMAP))
		r = step_down(course, "ids in them", err);
	else if (refused(course, r, err, OP_PRIVATE))
		r = step_down(course, "mounts in them", err);
	if (refused(course, r, err, OP_REDIRECT))
		r = do_without_redirect(course, err);
	return refused(course, r, err, OP_SECCOMP) ? do_without_listener(course, err) : r;
}

static int start(struct course *course, const struct session *session, const struct session_request *request, struct arena *arena)
{
	*course = (struct course){ .session = session, .request = request, .arena = arena };
	return request->argv && request->argv[0] && *request->argv[0] ? 0 : -EINVAL;
}

int session_plan(const struct session *session, const struct session_request *request, struct arena *arena,
                 struct session_result *ret_result, struct err *err)
{
	struct course course;
	if (start(&course, session, request, arena) < 0)
		return err_set(err, ERR_USAGE, EINVAL, "there is no command to explain");
	memcpy(course.result.run_id, explained_run, sizeof(explained_run));
	int r = gather(&course, err);
	if (r == 0)
		r = make_plan(&course, err);
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
	if (start(&course, session, request, arena) < 0)
		return err_set(err, ERR_USAGE, EINVAL, "there is no command to run");
	int r = state_run_id(course.result.run_id, err);
	if (r == 0)
		r = state_dir_make(session->state_dir, err);
	if (r == 0)
		r = gather(&course, err);
	if (r == 0)
		r = make_plan(&course, err);
	if (r == 0)
		r = carry_out_or_less(&course, err);
	if (r < 0)
		return r;
	/* Not an error of coffer's: of a command that cannot be executed the engine says why, and the outcome has its status. */
	if (err->code != ERR_NONE && course.result.outcome.exit_code >= EXIT_NOT_EXECUTABLE)
		course.result.message = arena_dup(arena, err->text);
	err_clear(err);
	for (size_t i = 0; i < course.result.outcome.denials.n; i++)
		why_explain(&course.result.policy, &course.result.outcome.denials.at[i], arena);
	*ret_result = course.result;
	return 0;
}

bool session_wants_stage(const struct err *err)
{
	return err->code == ERR_UNSUPPORTED && strcmp(err->where, COMPILE_WHY_OVERLAY) == 0;
}

static int write_network_rules(struct course *course, struct err *err)
{
	autostr struct str text = { 0 };
	int r = gather(course, err);

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

	autofd int rules = write_network_rules(&course, err);

	arena_done(&arena);
	if (rules < 0)
		return rules;
	r = sock_send_fd(socket, "R", 1, rules);
	return r < 0 ? err_set(err, ERR_BUSY, -r, "the run has not taken the rules of before yet") : 0;
}

int session_gc(const struct session *session, struct err *err)
{
	int r = state_dir_make(session->state_dir, err);
	return r < 0 ? r : engine_gc(session->state_dir, err);
}
