/* What a session with a view of a directory, or with a workspace of its own, has changed: read, and done to the directory. */
#include "base/own.h"
#include "channel/params.h"
#include "channel/work.h"

#include <errno.h>
#include <string.h>

static int open_workspace(const struct work *work, struct coffer_workspace **ret_workspace, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r == 0 && coffer_workspace_open(work->coffer, coffer_session_name(session), ret_workspace, &error) < 0)
		r = work_failed(err, &error);
	coffer_session_free(session);
	return r;
}

static int read_form(const struct work *work, enum coffer_diff *ret_form, struct err *err)
{
	static const char *const words[] = {
		[COFFER_DIFF_NAMES] = "names", [COFFER_DIFF_STAT] = "stat", [COFFER_DIFF_PATCH] = "patch", [COFFER_DIFF_JSON] = "json"
	};
	const char *word = params_text(work->params, "form");
	enum coffer_diff form = 0;

	while (form < ARRAY_LEN(words) && strcmp(words[form], word ? word : "patch") != 0)
		form++;
	if (form == ARRAY_LEN(words)) {
		(void)err_set(err, ERR_USAGE, EINVAL, "form: is \"patch\", \"stat\", \"names\" or \"json\"");
		err_at(err, "form");
		return -EINVAL;
	}
	*ret_form = form;
	return 0;
}

struct telling {
	struct work *work;
	struct err *err;
};

static int tell(void *context, const char *bytes, size_t n)
{
	const struct telling *telling = context;

	for (size_t at = 0, piece; at < n; at += piece) {
		piece = n - at < WORK_DATA_MAX ? n - at : WORK_DATA_MAX;
		int r = work_tell_data(telling->work, bytes + at, piece, telling->err);

		if (r < 0)
			return r;
	}
	return 0;
}

int do_workspace_diff(struct work *work, struct str *result, struct err *err)
{
	autofree const char **paths = params_get(work->params, "paths") ? params_texts(work->params, "paths") : NULL;
	struct telling telling = { work, err };
	struct coffer_workspace *workspace = NULL;
	struct coffer_error error;
	enum coffer_diff form;
	int r = read_form(work, &form, err);

	if (r == 0)
		r = open_workspace(work, &workspace, err);
	if (r == 0 && coffer_workspace_diff(workspace, form, paths, tell, &telling, &error) < 0)
		r = err->code == ERR_NONE ? work_failed(err, &error) : -EIO;
	coffer_workspace_free(workspace);
	str_add(result, "{}");
	return r;
}

/* What is in the way is a result like what was done. The library's text is an object, to which `ok` comes. */
int do_workspace_apply(struct work *work, struct str *result, struct err *err)
{
	autofree const char **paths = params_get(work->params, "paths") ? params_texts(work->params, "paths") : NULL;
	autofree const char **allow = params_get(work->params, "allow") ? params_texts(work->params, "allow") : NULL;
	autofree const char **hunks = params_get(work->params, "hunks") ? params_texts(work->params, "hunks") : NULL;
	const struct coffer_apply_options wanted = { .size = sizeof(wanted),
		                                     .paths = paths,
		                                     .allow = allow,
		                                     .hunks = hunks,
		                                     .look_only = params_flag(work->params, "check", false) };
	struct coffer_workspace *workspace = NULL;
	struct coffer_error error;
	char *text = NULL;
	int r = open_workspace(work, &workspace, err), applied;

	if (r < 0)
		return r;
	applied = coffer_workspace_apply(workspace, &wanted, COFFER_JSON, &text, &error);
	coffer_workspace_free(workspace);
	if (!text)
		return applied < 0 ? work_failed(err, &error) : work_no_memory(err);
	str_printf(result, "{\"ok\":%s,", applied < 0 ? "false" : "true");
	str_add_n(result, text + 1, strcspn(text, "\n") - 1);
	coffer_text_free(text);
	return 0;
}
