/* Workspaces: what was changed, and what becomes of it; and the history of a session's. As `coffer diff`, `apply`, `discard` and `session` do it. */
#include "channel/do_session.h"

#include "base/json.h"
#include "base/own.h"
#include "base/path.h"
#include "channel/params.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 4096, ARENA_MAX = 64 << 20, HUNK_TEXT_MAX = PATH_BYTES_MAX + 4096 };

/* Freed by the process's end, as all of this. */
static int open_workspace(const struct work *work, const char *name, struct coffer_workspace **ret_workspace, struct err *err)
{
	struct coffer_error error;

	return coffer_workspace_open(work->coffer, name, ret_workspace, &error) < 0 ? work_failed(err, &error) : 0;
}

/* ---- lists of paths ---- */

static int wrong(const char *name, const char *text, struct err *err)
{
	int r = err_set(err, ERR_USAGE, EINVAL, "%s: %s", name, text);

	err_at(err, name);
	return r;
}

/* Relative to the base, without "..": what the library takes. */
static int take_path(const json_t *value, const char *name, struct arena *arena, const char **ret_path, struct err *err)
{
	char given[PATH_BYTES_MAX + 1];
	const char *path = NULL, *below = NULL;
	int r = params_path(value, given, err);

	if (r < 0)
		return r;
	if (!json_is_string(value) && !json_is_object(value))
		return wrong(name, "each is a path: a string, or {\"base64\": \"…\"}", err);
	path = given[0] != '/' ? arena_printf(arena, "/base/%s", given) : NULL;
	if (path && path_normalize(arena, path, "/base", NULL, &path) == 0)
		below = path_below(path, "/base");
	if (!below)
		return wrong(name, "paths are relative to the workspace's base, and do not leave it", err);
	*ret_path = below;
	return 0;
}

static int add_numbers(const json_t *numbers, struct str *out)
{
	const json_t *number;
	size_t i;

	json_array_foreach (numbers, i, number) {
		if (!json_is_integer(number) || json_integer_value(number) < 1)
			return -EINVAL;
		str_printf(out, "%c%lld", i ? ',' : ':', (long long)json_integer_value(number));
	}
	return json_array_size(numbers) > 0 ? 0 : -EINVAL;
}

/* {"path", "numbers"} */
static int take_hunks(const json_t *value, const char *name, struct arena *arena, const char **ret_text, struct err *err)
{
	const json_t *at = json_object_get(value, "path");
	autostr struct str text = { 0 };
	const char *path;
	int r = at ? take_path(at, name, arena, &path, err) : wrong(name, "each is {\"path\", \"numbers\"}", err);

	if (r < 0)
		return r;
	str_init(&text, HUNK_TEXT_MAX);
	str_add(&text, path);
	if (add_numbers(json_object_get(value, "numbers"), &text) < 0)
		return wrong(name, "numbers are those of a patch's hunks, from 1", err);
	*ret_text = text.failed ? NULL : arena_dup(arena, text.text);
	return *ret_text ? 0 : work_no_memory(err);
}

typedef int taker(const json_t *value, const char *name, struct arena *arena, const char **ret_text, struct err *err);

/* NULL-terminated; NULL where there is no such parameter. */
static int take_list(const struct work *work, const char *name, taker *take, struct arena *arena, const char *const **ret_list,
                     struct err *err)
{
	const json_t *array = params_get(work->params, name);
	size_t n = json_array_size(array);
	const char **list = array ? arena_array(arena, n + 1, sizeof(*list)) : NULL;
	int r = 0;

	*ret_list = list;
	if (!array)
		return 0;
	if (n == 0 || n > LIST_MAX)
		return wrong(name, "from 1 to 4096 of them; without it, all", err);
	for (size_t i = 0; list && r == 0 && i < n; i++)
		r = take(json_array_get(array, i), name, arena, &list[i], err);
	if (list)
		list[n] = NULL;
	return list ? r : work_no_memory(err);
}

/* ---- what was changed ---- */

static const char *const
    forms[] = { [COFFER_DIFF_NAMES] = "names", [COFFER_DIFF_STAT] = "stat", [COFFER_DIFF_PATCH] = "patch", [COFFER_DIFF_JSON] = "json" };

static int read_form(const struct work *work, enum coffer_diff *ret_form, struct err *err)
{
	const char *wanted = params_text(work->params, "form");

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (strcmp(wanted ? wanted : "json", forms[i]) == 0) {
			*ret_form = (enum coffer_diff)i;
			return 0;
		}
	}
	return wrong("form", "\"json\", \"patch\", \"stat\" or \"names\"", err);
}

/* Where a diff goes: into the result, or in pieces into events. */
struct telling {
	struct work *work;
	struct str *text; /* NULL: events */
	uint64_t bytes;
};

static int put(void *context, const char *bytes, size_t n)
{
	struct telling *telling = context;

	telling->bytes += n;
	if (telling->text) {
		str_add_n(telling->text, bytes, n);
		return telling->text->failed ? -EMSGSIZE : 0;
	}
	for (size_t at = 0; at < n; at += WORK_DATA_MAX)
		if (work_tell_data(telling->work, bytes + at, n - at < WORK_DATA_MAX ? n - at : WORK_DATA_MAX, NULL) < 0)
			return -EPIPE;
	return 0;
}

static int show(const struct work *work, struct coffer_workspace *workspace, enum coffer_diff form, struct telling *telling,
                struct err *err)
{
	struct coffer_range range = { .from = params_count(work->params, "from", 0), .to = params_count(work->params, "to", COFFER_NOW) };
	bool layers = params_get(work->params, "from") || params_get(work->params, "to");
	const char *const *paths;
	struct coffer_error error;
	struct arena arena;

	arena_init(&arena, ARENA_MAX);
	int r = take_list(work, "paths", take_path, &arena, &paths, err);

	if (r == 0 && layers && paths)
		r = wrong("paths", "not together with from and to, which compare whole layers", err);
	if (r < 0)
		return r;
	r = layers ? coffer_workspace_diff_layers(workspace, range, form, put, telling, &error)
	           : coffer_workspace_diff(workspace, form, paths, put, telling, &error);
	return r < 0 ? work_failed(err, &error) : 0;
}

int do_workspace_diff(struct work *work, struct str *result, struct err *err)
{
	struct coffer_workspace *workspace = NULL;
	enum coffer_diff form = COFFER_DIFF_JSON;
	struct telling telling = { .work = work };
	int r = read_form(work, &form, err);

	if (r == 0)
		r = open_workspace(work, params_text(work->params, "workspace"), &workspace, err);
	if (r < 0)
		return r;
	telling.text = form == COFFER_DIFF_JSON ? result : NULL;
	r = show(work, workspace, form, &telling, err);
	if (r == 0 && telling.text)
		result->len -= result->len > 0 && result->text[result->len - 1] == '\n'; /* the line is not over */
	else if (r == 0)
		str_printf(result, "{\"bytes\":%llu}", (unsigned long long)telling.bytes);
	return r;
}

/* ---- what becomes of it ---- */

/* In the way, or done: told in either case, but there is one last line for a request. */
static int tell_report(struct work *work, char *text, int r, const struct coffer_error *error, struct str *result, struct err *err)
{
	autostr struct str members = { 0 };

	if (text)
		text[strcspn(text, "\n")] = '\0';
	if (r >= 0) {
		str_add(result, text ? text : "{}");
		return 0;
	}
	str_init(&members, WORK_RESULT_MAX);
	str_printf(&members, "\"report\":%s", text ? text : "null");
	if (text && !members.failed)
		(void)work_tell(work, WORK_EVENT, "report", members.text, NULL);
	return work_failed(err, error);
}

int do_workspace_apply(struct work *work, struct str *result, struct err *err)
{
	struct coffer_apply_options options = { .size = sizeof(options), .look_only = params_flag(work->params, "check", false) };
	struct coffer_workspace *workspace = NULL;
	struct coffer_error error;
	struct arena arena;
	char *text = NULL;
	int r = open_workspace(work, params_text(work->params, "workspace"), &workspace, err);

	arena_init(&arena, ARENA_MAX);
	if (r == 0)
		r = take_list(work, "paths", take_path, &arena, &options.paths, err);
	if (r == 0)
		r = take_list(work, "allow", take_path, &arena, &options.allow, err);
	if (r == 0)
		r = take_list(work, "hunks", take_hunks, &arena, &options.hunks, err);
	if (r < 0)
		return r;
	r = coffer_workspace_apply(workspace, &options, COFFER_JSON, &text, &error);
	return tell_report(work, text, r, &error, result, err);
}

int do_workspace_discard(struct work *work, struct str *result, struct err *err)
{
	struct coffer_error error;

	if (coffer_workspace_remove(work->coffer, params_text(work->params, "workspace"), &error) < 0)
		return work_failed(err, &error);
	str_add(result, "{}");
	return 0;
}

int do_workspace_list(struct work *work, struct str *result, struct err *err)
{
	struct coffer_error error;
	char *text = NULL;

	if (coffer_workspaces_text(work->coffer, COFFER_JSON, &text, &error) < 0)
		return work_failed(err, &error);
	str_printf(result, "{\"workspaces\":%.*s}", (int)strcspn(text, "\n"), text);
	return 0;
}

/* ---- history ---- */

int do_session_log(struct work *work, struct str *result, struct err *err)
{
	struct coffer_workspace *workspace = NULL;
	struct coffer_session *session = NULL;
	struct coffer_error error;
	char *text = NULL;
	int r = work_session(work, &session, err);

	if (r == 0 && coffer_workspace_of_session(session, &workspace, &error) < 0)
		r = work_failed(err, &error);
	if (r == 0 && coffer_workspace_log(workspace, COFFER_JSON, &text, &error) < 0)
		r = work_failed(err, &error);
	if (r == 0)
		str_printf(result, "{\"layers\":%.*s}", (int)strcspn(text, "\n"), text);
	return r;
}

int do_session_checkpoint(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	uint64_t number = 0;
	int r = work_session(work, &session, err);

	if (r == 0 && coffer_session_checkpoint(session, params_text(work->params, "label"), &number, &error) < 0)
		r = work_failed(err, &error);
	if (r == 0)
		str_printf(result, "{\"layer\":%llu}", (unsigned long long)number);
	return r;
}

int do_session_checkout(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r == 0 && coffer_session_checkout(session, params_count(work->params, "layer", 0), &error) < 0)
		r = work_failed(err, &error);
	str_add(result, "{}");
	return r;
}

int do_session_fork(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL, *child = NULL;
	uint64_t at = params_count(work->params, "layer", COFFER_NOW);
	struct coffer_error error;
	autojson json_t *entry = NULL;
	int r = work_session(work, &session, err);

	if (r == 0 && coffer_session_fork_at(session, at, params_text(work->params, "id"), &child, &error) < 0)
		r = work_failed(err, &error);
	if (r == 0)
		r = session_read(child, &entry, err);
	if (r == 0)
		session_add(result, entry);
	return r;
}
