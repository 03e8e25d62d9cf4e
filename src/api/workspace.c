#include "api/api.h"

#include "base/own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HUNKS_MAX = 256, HUNK_NUMBERS_MAX = 1024, REPORT_MAX = 16 << 20 };

struct coffer_workspace {
	struct coffer *coffer;
	struct workspace *workspace;
};

const char *coffer_outcome_workspace(const struct coffer_outcome *outcome)
{
	return outcome->workspace;
}

int coffer_workspace_open(struct coffer *coffer, const char *name, struct coffer_workspace **ret_workspace, struct coffer_error *error)
{
	struct err err = { 0 };
	struct coffer_workspace *workspace = calloc(1, sizeof(*workspace));
	if (!workspace)
		return api_no_memory(error);
	workspace->coffer = coffer;
	int r = workspaces_open(&coffer->session, name, NULL, &workspace->workspace, &err);
	if (r < 0)
		free(workspace);
	else
		*ret_workspace = workspace;
	return api_fail(r, &err, error);
}

int coffer_workspace_of_session(struct coffer_session *session, struct coffer_workspace **ret_workspace, struct coffer_error *error)
{
	struct session_entry entry;
	struct err err = { 0 };
	struct arena arena;
	arena_init(&arena, API_ARENA_MAX);
	int r = sessions_look(&session->coffer->session, session->name, &arena, &entry, &err);
	if (r == 0 && entry.tree == SESSION_TREE_HOST)
		r = err_set(&err, ERR_POLICY, EINVAL, "session %s works in the host's own tree: it has no workspace", session->name);
	r = r < 0 ? api_fail(r, &err, error) : coffer_workspace_open(session->coffer, entry.workspace, ret_workspace, error);
	arena_done(&arena);
	return r;
}

void coffer_workspace_free(struct coffer_workspace *workspace)
{
	if (workspace)
		workspace_close(workspace->workspace);
	free(workspace);
}

const char *coffer_workspace_name(const struct coffer_workspace *workspace)
{
	return workspace->workspace->record.id;
}

const char *coffer_workspace_base(const struct coffer_workspace *workspace)
{
	return workspace->workspace->record.base;
}

static size_t count(const char *const *list)
{
	size_t n = 0;
	while (list && list[n])
		n++;
	return n;
}

static int print_changes(struct changes *changes, enum coffer_diff form, const struct printer *printer, struct err *err)
{
	static int (*const prints[])(const struct changes *, const struct printer *, struct err *) = {
		[COFFER_DIFF_NAMES] = changes_print_names,
		[COFFER_DIFF_STAT] = changes_print_stat,
		[COFFER_DIFF_PATCH] = changes_print_patch,
		[COFFER_DIFF_JSON] = changes_print_json,
	};
	int r = changes_find_renames(changes);
	if (r == 0)
		r = prints[form](changes, printer, err);
	if (r < 0 && err->code == ERR_NONE)
		(void)err_set(err, ERR_SETUP, -r, "the differences cannot be written: %s", strerror(-r));
	changes_done(changes);
	return r;
}

int coffer_workspace_diff(struct coffer_workspace *workspace, enum coffer_diff form, const char *const *paths, coffer_write_function *put,
                          void *context, struct coffer_error *error)
{
	const struct printer printer = { .put = put, .data = context, .paths = paths, .paths_n = count(paths) };
	struct err err = { 0 };
	struct changes changes;
	int r = workspace_changes(workspace->workspace, &changes, &err);
	return api_fail(r < 0 ? r : print_changes(&changes, form, &printer, &err), &err, error);
}

int coffer_workspace_diff_layers(struct coffer_workspace *workspace, struct coffer_range range, enum coffer_diff form,
                                 coffer_write_function *put, void *context, struct coffer_error *error)
{
	const struct printer printer = { .put = put, .data = context };
	struct err err = { 0 };
	struct changes changes;
	int r = workspace_compare(workspace->workspace, range.from, range.to, &changes, &err);
	return api_fail(r < 0 ? r : print_changes(&changes, form, &printer, &err), &err, error);
}

int coffer_workspace_log(struct coffer_workspace *workspace, enum coffer_format format, char **ret_text, struct coffer_error *error)
{
	autostr struct str text = { 0 };
	str_init(&text, REPORT_MAX);
	(format == COFFER_JSON ? workspaces_print_log_json : workspaces_print_log)(workspace->workspace, &text);
	return api_give_text(&text, ret_text, error);
}

static int read_numbers(const char *text, unsigned *numbers, size_t *ret_n)
{
	while (*text) {
		char *end;
		unsigned long number = strtoul(text, &end, 10);
		if (end == text || number == 0 || number > 1000000 || (*end && *end != ',') || *ret_n == HUNK_NUMBERS_MAX)
			return -EINVAL;
		numbers[(*ret_n)++] = (unsigned)number;
		text = *end ? end + 1 : end;
	}
	return *ret_n > 0 ? 0 : -EINVAL;
}

/* "src/main.c:1,3" */
static int read_hunk(const char *text, struct arena *arena, struct apply_hunks *ret_hunks)
{
	const char *colon = strrchr(text, ':');
	unsigned *numbers = colon ? arena_array(arena, HUNK_NUMBERS_MAX, sizeof(*numbers)) : NULL;
	const char *path = colon ? arena_dup_n(arena, text, (size_t)(colon - text)) : NULL;
	if (!numbers || !path)
		return -EINVAL;
	*ret_hunks = (struct apply_hunks){ .path = path, .numbers = numbers };
	return read_numbers(colon + 1, numbers, &ret_hunks->n);
}

static int read_hunks(const char *const *texts, struct arena *arena, struct apply_options *options, struct err *err)
{
	size_t n = count(texts);
	struct apply_hunks *hunks = n && n <= HUNKS_MAX ? arena_array(arena, n, sizeof(*hunks)) : NULL;
	if (n && !hunks)
		return err_set(err, ERR_LIMIT, E2BIG, "hunks of more than %d files", HUNKS_MAX);
	for (size_t i = 0; i < n; i++)
		if (read_hunk(texts[i], arena, &hunks[i]) < 0)
			return err_set(err, ERR_USAGE, EINVAL, "\"%s\" names no hunks: PATH:1,3", texts[i]);
	options->hunks = hunks;
	options->hunks_n = n;
	return 0;
}

static const char *const kinds[] = { [APPLY_NOTICE] = "note",
	                             [APPLY_LEFT] = "left",
	                             [APPLY_REFUSED] = "refused",
	                             [APPLY_CONFLICT] = "conflict",
	                             [APPLY_FAILED] = "failed" };

typedef void reporter(const struct apply_result *result, struct str *out);

static void report_text(const struct apply_result *result, struct str *out)
{
	for (size_t i = 0; i < result->findings.n; i++) {
		const struct apply_finding *finding = &result->findings.at[i];
		str_printf(out, "%-9s", kinds[finding->kind]);
		str_add_escaped(out, finding->path, strlen(finding->path));
		str_add(out, ": ");
		str_add_escaped(out, finding->text, strlen(finding->text));
		str_add_char(out, '\n');
	}
	if (result->completed)
		str_add(out, "an earlier apply that had been cut short was completed first\n");
	str_printf(out, "%zu written, %zu removed, %zu directories made\n", result->written, result->removed, result->made);
}

static void report_json(const struct apply_result *result, struct str *out)
{
	str_printf(out, "{\"written\":%zu,\"removed\":%zu,\"made\":%zu,\"completed\":%s,\"findings\":[", result->written, result->removed,
	           result->made, result->completed ? "true" : "false");
	for (size_t i = 0; i < result->findings.n; i++) {
		const struct apply_finding *finding = &result->findings.at[i];
		str_printf(out, "%s{\"kind\":\"%s\",\"path\":", i ? "," : "", kinds[finding->kind]);
		str_add_json_text(out, finding->path);
		str_add(out, ",\"text\":");
		str_add_json_text(out, finding->text);
		str_add_char(out, '}');
	}
	str_add(out, "]}\n");
}

static int judge_test(int r, struct coffer_outcome *outcome, const struct coffer_error *error, struct err *err)
{
	if (r < 0)
		return err_set(err, (enum err_code)error->code, error->errnum, "nothing has been applied: the test cannot be run: %s",
		               error->text);
	int status = coffer_outcome_exit_code(outcome);
	const char *message = coffer_outcome_message(outcome), *cause = coffer_cause_name(coffer_outcome_cause(outcome));
	if (status == 0 && coffer_outcome_cause(outcome) == COFFER_CAUSE_EXIT)
		return 0;
	if (message)
		return err_set(err, ERR_DENIED, ECANCELED, "nothing has been applied: the test: %s", message);
	return err_set(err, ERR_DENIED, ECANCELED, "nothing has been applied: the test ended with exit status %d (%s)", status, cause);
}

static int run_test(struct workspace *view, struct coffer_request *test, struct err *err)
{
	const char *cwd = test->cwd;
	struct coffer_outcome *outcome = NULL;
	struct coffer_error error;
	struct input_workspace input;
	struct arena arena;
	arena_init(&arena, API_ARENA_MAX);
	int r = workspaces_input(view, view->record.base, &arena, &input, err);
	if (r == 0) {
		test->view = &input;
		test->cwd = cwd ? cwd : view->record.base;
		r = coffer_run(test, &outcome, &error);
		r = judge_test(r, outcome, &error, err);
		test->view = NULL;
		test->cwd = cwd;
	}
	coffer_outcome_free(outcome);
	arena_done(&arena);
	return r;
}

/* First what stands in the way anyway. The workspace is held, so what is applied afterwards is what was tested. */
static int pass_test(struct coffer_workspace *workspace, const struct apply_options *options, struct coffer_request *test,
                     struct apply_result *result, struct err *err)
{
	struct workspace *view = NULL;
	struct apply_options wanted = *options;
	char id[WORKSPACE_ID_MAX] = "";
	wanted.ret_preview = &view;
	int r = workspaces_apply(workspace->workspace, &wanted, result, err);
	if (r < 0 || !view)
		return r;
	(void)snprintf(id, sizeof(id), "%s", view->record.id);
	r = run_test(view, test, err);
	workspace_close(view);
	(void)workspace_remove(workspace->coffer->session.data_dir, id, NULL);
	return r;
}

static int apply(struct coffer_workspace *workspace, struct apply_options *options, struct coffer_request *test, reporter *report,
                 struct str *out, struct err *err)
{
	struct apply_result result = { .written = 0 };
	struct session_held held;
	int r = sessions_hold_workspace(&workspace->coffer->session, workspace->workspace, &held, err);
	if (r < 0)
		return r;
	if (test && !options->look_only)
		r = pass_test(workspace, options, test, &result, err);
	if (r == 0) {
		apply_result_done(&result);
		r = workspaces_apply(workspace->workspace, options, &result, err);
	}
	report(&result, out);
	apply_result_done(&result);
	workspace_unlock(workspace->workspace);
	sessions_let_go(&held);
	return r;
}

int coffer_workspace_apply(struct coffer_workspace *workspace, const struct coffer_apply_options *options, enum coffer_format format,
                           char **ret_text, struct coffer_error *error)
{
	const struct coffer_apply_options none = { .size = sizeof(none) };
	struct err err = { 0 };
	struct arena arena;
	autostr struct str text = { 0 };
	options = options ? options : &none;
	struct apply_options wanted = { .paths = options->paths,
		                        .paths_n = count(options->paths),
		                        .allow = options->allow,
		                        .allow_n = count(options->allow),
		                        .look_only = options->look_only };
	if (options->size != sizeof(none))
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "apply options of another size: compile with this library's header"), &err,
		                error);
	arena_init(&arena, API_ARENA_MAX);
	str_init(&text, REPORT_MAX);
	int r = read_hunks(options->hunks, &arena, &wanted, &err);
	if (r == 0)
		r = apply(workspace, &wanted, options->test, format == COFFER_JSON ? report_json : report_text, &text, &err);
	arena_done(&arena);
	if (ret_text && text.len && api_give_text(&text, ret_text, NULL) < 0 && r == 0)
		r = err_set(&err, ERR_LIMIT, ENOMEM, "no memory for the report");
	return api_fail(r, &err, error);
}

int coffer_workspace_remove(struct coffer *coffer, const char *name, struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(workspace_remove(coffer->session.data_dir, name, &err), &err, error);
}

int coffer_workspaces_text(struct coffer *coffer, enum coffer_format format, char **ret_text, struct coffer_error *error)
{
	struct err err = { 0 };
	struct arena arena;
	struct workspace_info_vec list = { 0 };
	autostr struct str text = { 0 };
	arena_init(&arena, API_ARENA_MAX);
	str_init(&text, REPORT_MAX);
	int r = workspace_list(coffer->session.data_dir, &arena, &list, &err);
	r = r == -ENOENT ? 0 : api_fail(r, &err, error);
	if (r == 0) {
		(format == COFFER_JSON ? workspaces_print_json : workspaces_print)(&list, &text);
		r = api_give_text(&text, ret_text, error);
	}
	arena_done(&arena);
	return r;
}
