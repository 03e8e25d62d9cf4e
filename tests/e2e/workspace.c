/*
 * e2e-workspace HOW PATH BASE DATA SETTINGS [LAYER…] -- CMD…: a run in a working tree of its own, for workspace.bats, before there is a command for it.
 *
 * HOW is overlay, stage or shared; BASE a directory or "-"; DATA holds upper, work, stage and the layers, which are named; SETTINGS is JSON text.
 * The outcome goes to descriptor 3 as JSON. Status 75: a stage is wanted. With "-" in place of CMD the plan is printed.
 */
#include "base/own.h"
#include "plan/print.h"
#include "policy/read.h"
#include "session/run.h"
#include "session/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_MAX = 64 << 20, STATUS_STAGE = 75, STATUS_OWN = 125, JSON_FD = 3 };

static struct arena arena;

static const char *in(const char *dir, const char *name)
{
	return arena_printf(&arena, "%s/%s", dir, name);
}

static struct input_workspace workspace_of(char **argv)
{
	struct input_workspace w = {
		.path = argv[2],
		.base = strcmp(argv[3], "-") == 0 ? NULL : argv[3],
		.upper = in(argv[4], "upper"),
		.work = in(argv[4], "work"),
		.stage = in(argv[4], "stage"),
	};

	if (strcmp(argv[1], "overlay") == 0)
		w.how = INPUT_WORKSPACE_OVERLAY;
	else if (strcmp(argv[1], "stage") == 0)
		w.how = INPUT_WORKSPACE_STAGE;
	for (char **layer = argv + 6; *layer && strcmp(*layer, "--") != 0; layer++) {
		const char **slot = text_vec_add(&w.layers, &arena);

		if (slot)
			*slot = in(argv[4], *layer);
	}
	return w;
}

static const char *launcher(const char *program)
{
	const char *slash = strrchr(program, '/');

	return arena_printf(&arena, "%.*s/../coffer-launch", slash ? (int)(slash - program) : 0, program);
}

static void write_result(const struct session_result *result)
{
	autostr struct str text = { 0 };
	struct receipt receipt;
	struct summary summary = { .run_id = result->run_id, .cwd = result->cwd, .outcome = result->outcome, .message = result->message };

	if (receipt_make(&result->plan, &result->policy, &result->facts, &arena, &receipt) < 0)
		return;
	summary.receipt = &receipt;
	str_init(&text, SUMMARY_BYTES_MAX);
	summary_print_json(&summary, &text);
	(void)!write(JSON_FD, text.text, text.len);
}

static int explain(const struct session *session, const struct session_request *request, struct err *err)
{
	autostr struct str text = { 0 };
	struct session_result result;
	int r = session_plan(session, request, &arena, &result, err);

	str_init(&text, 8 << 20);
	if (r == 0)
		plan_print(&result.plan, &text);
	if (r == 0)
		(void)fputs(text.text, stdout);
	return r;
}

static int run(const struct session *session, struct session_request *request, int *ret_status, struct err *err)
{
	struct session_result result;
	int r;

	*ret_status = 0;
	if (strcmp(request->argv[0], "-") == 0)
		return explain(session, request, err);
	r = session_run(session, request, &arena, &result, err);
	if (r < 0)
		return r;
	write_result(&result);
	*ret_status = result.outcome.exit_code;
	return 0;
}

int main(int argc, char **argv)
{
	struct policy policy;
	struct session session;
	struct err err = { 0 };
	struct input_workspace workspace;
	char **command = argv;
	int r, status;

	while (*command && strcmp(*command, "--") != 0)
		command++;
	if (argc < 8 || !*command || !command[1])
		return 2;
	arena_init(&arena, ARENA_MAX);
	workspace = workspace_of(argv);

	struct policy_document document = { .text = argv[5], .n = strlen(argv[5]), .source = "settings", .dialect = POLICY_COFFER };
	struct session_request request = { .policy = &policy,
		                           .argv = (const char *const *)command + 1,
		                           .env = (const char *const *)environ,
		                           .stdin_fd = -1,
		                           .stdout_fd = 1,
		                           .stderr_fd = 2,
		                           .cancel_fd = -1,
		                           .control_fd = -1,
		                           .rules_fd = -1,
		                           .workspace = &workspace };

	r = policy_init(&policy, &arena);
	if (r == 0)
		r = policy_read(&policy, &arena, &document, NULL, &err);
	policy.workspace.text = workspace.path;
	if (r == 0)
		r = session_open(&session, &err);
	session.launcher = launcher(argv[0]);
	if (r == 0)
		r = run(&session, &request, &status, &err);
	if (r < 0) {
		fprintf(stderr, "%s at %s: %s\n", err_code_name(err.code), err.where, err.text);
		return session_wants_stage(&err) ? STATUS_STAGE : STATUS_OWN;
	}
	return status;
}
