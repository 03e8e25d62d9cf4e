#include "api/api.h"

#include "base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)COFFER_ERROR_INTERNAL == (int)ERR_INTERNAL && (int)COFFER_ERROR_USAGE == (int)ERR_USAGE,
               "errors.def and coffer.h agree");
_Static_assert((int)COFFER_WHERE_MAX == (int)ERR_WHERE_MAX && (int)COFFER_TEXT_MAX == (int)ERR_TEXT_MAX, "err.h and coffer.h agree");

const char *coffer_version(void)
{
	return COFFER_VERSION;
}

void coffer_text_free(char *text)
{
	free(text);
}

const char *coffer_error_name(enum coffer_error_code code)
{
	return err_code_name((enum err_code)code);
}

int coffer_error_exit_status(enum coffer_error_code code)
{
	return err_exit_status((enum err_code)code);
}

int api_fail(int r, const struct err *err, struct coffer_error *error)
{
	if (r >= 0 || !error)
		return r;
	error->code = (enum coffer_error_code)err->code;
	error->errnum = err->errnum;
	memcpy(error->where, err->where, sizeof(error->where));
	memcpy(error->text, err->text, sizeof(error->text));
	return r;
}

int api_no_memory(struct coffer_error *error)
{
	struct err err = { 0 };
	return api_fail(err_set(&err, ERR_LIMIT, ENOMEM, "out of memory"), &err, error);
}

int api_give_text(struct str *s, char **ret_text, struct coffer_error *error)
{
	struct err err = { 0 };
	if (s->failed)
		return api_fail(err_set(&err, ERR_LIMIT, ENOMEM, "the text does not fit into memory"), &err, error);
	char *text = s->room ? s->text : strdup("");
	if (!text)
		return api_no_memory(error);
	if (s->room)
		str_init(s, s->ceiling);
	*ret_text = text;
	return 0;
}

int coffer_new(struct coffer **ret_coffer, struct coffer_error *error)
{
	struct err err = { 0 };
	struct coffer *coffer = calloc(1, sizeof(*coffer));
	if (!coffer)
		return api_no_memory(error);
	int r = session_open(&coffer->session, &err);
	if (r < 0) {
		free(coffer);
		return api_fail(r, &err, error);
	}
	*ret_coffer = coffer;
	return 0;
}

void coffer_free(struct coffer *coffer)
{
	if (coffer)
		session_close(&coffer->session);
	free(coffer);
}

static int set_path(struct coffer *coffer, const char *path, const char *what, const char **slot, struct coffer_error *error)
{
	struct err err = { 0 };
	if (!path || !path_is_normal(path))
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "the %s must be an absolute path without \"..\"", what), &err, error);
	const char *copy = arena_dup(&coffer->session.arena, path);
	if (!copy)
		return api_no_memory(error);
	*slot = copy;
	return 0;
}

int coffer_set_launcher(struct coffer *coffer, const char *path, struct coffer_error *error)
{
	return set_path(coffer, path, "launcher", &coffer->session.launcher, error);
}

int coffer_set_state_dir(struct coffer *coffer, const char *path, struct coffer_error *error)
{
	return set_path(coffer, path, "state directory", &coffer->session.state_dir, error);
}

int coffer_gc(struct coffer *coffer, struct coffer_error *error)
{
	struct err err = { 0 };
	int runs = session_gc(&coffer->session, &err);
	int sessions = runs < 0 ? runs : sessions_gc(&coffer->session, &err);
	int snapshots = sessions < 0 ? sessions : snapshots_gc(&coffer->session, &err);
	return api_fail(snapshots < 0 ? snapshots : runs + sessions + snapshots, &err, error);
}
