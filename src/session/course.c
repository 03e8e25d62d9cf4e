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
#include "session/course.h"

#include "base/own.h"
#include "compile/compile.h"
#include "engine/engine.h"
#include "policy/check.h"
#include "session/place.h"
#include "session/secrets.h"
#include "session/why.h"
#include "sys/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_NOT_EXECUTABLE = 126 /* and 127: not found */ };

static int add_own(struct course *course, const char *dir)
{
	autofree char *real = realpath(dir, NULL);
	const char *names[] = { dir, real && strcmp(real, dir) != 0 ? arena_dup(course->arena, real) : dir };

	for (size_t i = 0; i < 1u + (names[1] != dir); i++) {
		const char **slot = names[i] ? text_vec_add(&course->result.policy.own, course->arena) : NULL;

		if (!slot)
			return -ENOMEM;
		*slot = names[i];
	}
	return 0;
}

static int name_own(struct course *course)
{
	int r = add_own(course, course->session->data_dir);

	return r == 0 ? add_own(course, course->session->state_dir) : r;
}

/* What is hidden is what is there. Where a sandbox could see it come to be, it is made first. */
static void make_own(struct course *course)
{
	const struct policy *policy = &course->result.policy;
	struct err ignored = { 0 };

	if (strcmp(course->result.run_id, course_explained) == 0 || policy->filesystem.hidden.n == 0)
		return;
	for (size_t i = 0; i < policy->own.n; i++)
		(void)state_dir_make(policy->own.at[i], &ignored);
}

/* The caller's policy may be in use by other threads; policy_resolve changes nothing that a copy shares with it. */
static int resolve_copy(struct course *course, struct err *err)
{
	struct fault_vec faults = { 0 };
	course->result.policy = *course->request->policy;
	if (name_own(course) < 0)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for the policy");
	int r = policy_resolve(&course->result.policy, course->arena, course->inputs.cwd, course->inputs.home, err);

	if (r == 0)
		r = policy_check(&course->result.policy, course->arena, &faults);
	if (r == 0)
		r = policy_faults_err(&faults, err);
	if (r == 0)
		make_own(course);
	return r;
}

const char course_explained[STATE_RUN_ID_MAX] = "000000000000";

int course_gather(struct course *course, struct err *err)
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
	return secrets_gather(&course->result.policy, strcmp(course->result.run_id, course_explained) == 0, course->arena, &course->inputs,
	                      err);
}

int course_plan(struct course *course, struct err *err)
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

static bool is_noted(const struct course *course, const char *note)
{
	for (size_t i = 0; i < course->noted.n; i++)
		if (strcmp(course->noted.at[i], note) == 0)
			return true;
	return false;
}

/* Out of memory a note is told again rather than not at all. */
static void tell_plan(struct course *course)
{
	const struct plan *plan = &course->result.plan;

	tell(course->request, &(struct session_event){ .type = SESSION_PLANNED, .plan = plan });
	for (uint32_t i = 0; i < plan->head->note_count; i++) {
		const char *note = plan_note(plan, i), **slot;

		if (is_noted(course, note))
			continue;
		slot = text_vec_add(&course->noted, course->arena);
		if (slot)
			*slot = note;
		tell(course->request, &(struct session_event){ .type = SESSION_NOTED, .note = note });
	}
}

/* The engine's events are the session's, but for the remedy, which only the policy knows. */
static void on_engine_event(void *context, const struct engine_event *event)
{
	struct course *course = context;
	static const enum session_event_type types[] = {
		[ENGINE_STARTED] = SESSION_STARTED,       [ENGINE_OUTPUT] = SESSION_OUTPUT,    [ENGINE_DENIED] = SESSION_DENIED,
		[ENGINE_CONNECTION] = SESSION_CONNECTION, [ENGINE_CONTROL] = SESSION_CONTROL,  [ENGINE_LIMITED] = SESSION_LIMITED,
		[ENGINE_EXITED] = SESSION_EXITED,         [ENGINE_EXECUTED] = SESSION_EXECUTED
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

static bool ignores(void *context, const struct denial *denial)
{
	const struct course *course = context;

	return why_ignores(&course->result.policy, course->request->argv, denial);
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

void course_options(struct course *course, struct engine_run_options *ret_options)
{
	const struct session_request *request = course->request;

	engine_run_options_init(ret_options);
	ret_options->stdin_fd = request->stdin_fd;
	ret_options->stdout_fd = request->stdout_fd;
	ret_options->stderr_fd = request->stderr_fd;
	ret_options->cancel_fd = request->cancel_fd;
	ret_options->control_fd = request->control_fd;
	ret_options->rules_fd = request->rules_fd;
	ret_options->forward = request->forward;
	ret_options->on_event = request->on_event ? on_engine_event : NULL;
	ret_options->ignores = course->result.policy.ignored.n ? ignores : NULL;
	ret_options->context = course;
	ret_options->launcher = course->session->launcher;
	ret_options->run_id = course->result.run_id;
	ret_options->state_dir = course->session->state_dir;
	ret_options->refused_op = &course->refused_op;
	ret_options->torture_op = torture_op();
}

static int run(struct course *course, struct err *err)
{
	struct engine_run_options options;

	course_options(course, &options);
	return engine_run(&course->result.plan, &options, course->arena, &course->result.outcome, err);
}

static int seal(const char *name, const struct plan *plan, int *ret_fd, struct err *err)
{
	*ret_fd = fd_sealed(name, plan->head, plan->size);
	return *ret_fd < 0 ? err_set(err, ERR_SETUP, -*ret_fd, "no memory file for the plan: %s", strerror(-*ret_fd)) : 0;
}

/* The plan from which those of executions are made: of the same policy and the same survey. */
static int compile_template(struct course *course, struct plan *ret_plan, struct err *err)
{
	enum { EVERY_STREAM = 7 };
	struct inputs inputs = course->inputs;

	inputs.kind = COMPILE_EXEC;
	inputs.terminal = EVERY_STREAM;
	return compile(&course->result.policy, &inputs, &course->result.facts, course->arena, ret_plan, err);
}

static int bear(struct course *course, struct err *err)
{
	struct live_start start = course->birth->start;
	struct plan template;
	autofd int plan = -1, template_fd = -1;
	int r = compile_template(course, &template, err);

	if (r == 0)
		r = seal("coffer-plan", &course->result.plan, &plan, err);
	if (r == 0)
		r = seal("coffer-template", &template, &template_fd, err);
	if (r < 0)
		return r;
	if (strlen(course->session->state_dir) >= LIVE_PATH_MAX ||
	    (course->session->launcher && strlen(course->session->launcher) >= LIVE_PATH_MAX))
		return err_set(err, ERR_LIMIT, ENAMETOOLONG, "%s: longer than a session can have it", course->session->state_dir);
	start.version = LIVE_VERSION;
	start.torture_op = torture_op();
	memcpy(start.run_id, course->result.run_id, sizeof(course->result.run_id));
	memcpy(start.state_dir, course->session->state_dir, strlen(course->session->state_dir) + 1);
	if (course->session->launcher)
		memcpy(start.launcher, course->session->launcher, strlen(course->session->launcher) + 1);

	const int fds[LIVE_START_FDS] = { [LIVE_START_PLAN] = plan,
		                          [LIVE_START_TEMPLATE] = template_fd,
		                          [LIVE_START_LISTENER] = course->birth->listener,
		                          [LIVE_START_LOCK] = course->birth->lock,
		                          [LIVE_START_TREE] = course->birth->tree };

	return live_spawn(NULL, &start, fds, &course->refused_op, err);
}

static int carry_out(struct course *course, struct err *err)
{
	int r = course->result.facts.user_namespaces ? 0 : state_scratch_make(course->inputs.scratch_top, err);
	if (r < 0)
		return r;
	tell_plan(course);
	return course->birth ? bear(course, err) : run(course, err);
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
	int r = course_plan(course, err);
	return r < 0 ? r : carry_out(course, err);
}

/* Inside another sandbox that listens: then nothing is told, and what init would have to do is compile's to refuse. */
static int do_without_listener(struct course *course, struct err *err)
{
	course->result.facts.seccomp_notify = false;
	err_clear(err);
	int r = course_plan(course, err);
	return r < 0 ? r : carry_out(course, err);
}

/* Then only programs that go by proxy variables reach the filter, and the others nobody. */
static int do_without_redirect(struct course *course, struct err *err)
{
	course->result.facts.nftables = false;
	err_clear(err);
	int r = course_plan(course, err);
	return r < 0 ? r : carry_out(course, err);
}

/* A plan that the kernel refuses, before anything of the command has run, is made again without what was refused. */
int course_carry_out(struct course *course, struct err *err)
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

int course_begin(struct course *course, const struct session *session, const struct session_request *request, struct arena *arena)
{
	*course = (struct course){ .session = session, .request = request, .arena = arena };
	return request->argv && request->argv[0] && *request->argv[0] ? 0 : -EINVAL;
}

int course_finish(struct course *course, struct session_result *ret_result, struct err *err)
{
	struct session_result *result = &course->result;

	/* Not an error of coffer's: of a command that cannot be executed the engine says why, and the outcome has its status. */
	if (err->code != ERR_NONE && result->outcome.exit_code >= EXIT_NOT_EXECUTABLE)
		result->message = arena_dup(course->arena, err->text);
	err_clear(err);
	for (size_t i = 0; i < result->outcome.denials.n; i++)
		why_explain(&result->policy, &result->outcome.denials.at[i], course->arena);
	*ret_result = *result;
	return 0;
}
