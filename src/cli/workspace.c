/* `coffer diff`, `apply` and `discard`: what becomes of what a try or a session has changed. */
#include "cli/workspace.h"

#include "base/num.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { SUMMARY_LINES = 10, SUMMARY_BYTES = 64 << 10 };

/* The context lives as long as the workspace. */
struct opened {
	struct coffer *coffer;
	struct coffer_workspace *workspace;
};

static void close_it(struct opened *opened)
{
	coffer_workspace_free(opened->workspace);
	coffer_free(opened->coffer);
}

static int open_it(const char *name, struct opened *ret_opened, struct coffer_error *error)
{
	struct opened opened = { NULL, NULL };
	int r = coffer_new(&opened.coffer, error);
	if (r == 0)
		r = coffer_workspace_open(opened.coffer, name, &opened.workspace, error);
	if (r < 0)
		close_it(&opened);
	else
		*ret_opened = opened;
	return r;
}

/* ---- after a try ---- */

static int keep(void *context, const char *bytes, size_t n)
{
	str_add_n(context, bytes, n);
	return 0;
}

static void say_lines(const char *text)
{
	size_t shown = 0;
	while (*text && shown < SUMMARY_LINES) {
		size_t n = strcspn(text, "\n");
		say("  %.*s", (int)n, text);
		text += n + (text[n] == '\n');
		shown++;
	}
	if (*text)
		say("  …");
}

void workspace_say_changes(struct coffer *coffer, const char *name)
{
	struct coffer_workspace *workspace = NULL;
	struct coffer_error error;
	autostr struct str text = { 0 };
	str_init(&text, SUMMARY_BYTES);
	if (!name) {
		say("nothing was changed");
		return;
	}
	if (coffer_workspace_open(coffer, name, &workspace, &error) < 0 ||
	    (coffer_workspace_diff(workspace, COFFER_DIFF_STAT, NULL, keep, &text, &error) < 0 && !text.failed)) {
		say_error(&error);
	} else {
		say_lines(text.text ? text.text : "");
		say("nothing of it has happened yet: `coffer diff` shows it, `coffer apply` does it, `coffer discard` forgets it (%s)",
		    name);
	}
	coffer_workspace_free(workspace);
}

/* ---- diff ---- */

static int put(void *context, const char *bytes, size_t n)
{
	(void)context;
	return fd_write_all(STDOUT_FILENO, bytes, n);
}

static enum coffer_diff form_of(const struct options *options)
{
	if (options->given[OPTION_JSON])
		return COFFER_DIFF_JSON;
	if (options->given[OPTION_STAT])
		return COFFER_DIFF_STAT;
	return options->given[OPTION_NAMES] ? COFFER_DIFF_NAMES : COFFER_DIFF_PATCH;
}

/* --from and --to: "3" or "@3". */
static int range_of(const struct options *options, struct coffer_range *ret_range)
{
	const char *from = options->value[OPTION_FROM], *to = options->value[OPTION_TO];
	*ret_range = (struct coffer_range){ .from = 0, .to = COFFER_NOW };
	if ((from && num_count(from + (*from == '@'), &ret_range->from) < 0) || (to && num_count(to + (*to == '@'), &ret_range->to) < 0)) {
		say("diff: --from and --to take the number of a layer, as `coffer session log` shows them");
		return -EINVAL;
	}
	return 0;
}

static int diff(const struct options *options, struct opened *opened, const struct coffer_range *range, struct coffer_error *error)
{
	if (options->value[OPTION_FROM] || options->value[OPTION_TO])
		return coffer_workspace_diff_layers(opened->workspace, *range, form_of(options), put, NULL, error);
	return coffer_workspace_diff(opened->workspace, form_of(options), options->words.n ? options->argv : NULL, put, NULL, error);
}

int command_diff(const struct options *options)
{
	struct opened opened;
	struct coffer_error error;
	struct coffer_range range;
	if (range_of(options, &range) < 0)
		return EXIT_FAILED;
	int r = open_it(options->value[OPTION_IN], &opened, &error);
	if (r == 0) {
		r = diff(options, &opened, &range, &error);
		close_it(&opened);
	}
	if (r < 0)
		say_error(&error);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}

/* ---- apply ---- */

static int note_some(void *context, const char *bytes, size_t n)
{
	(void)bytes;
	*(size_t *)context += n;
	return 0;
}

/* All of it has been applied: there is nothing to keep. */
static bool is_empty(struct coffer_workspace *workspace)
{
	size_t n = 0;
	return coffer_workspace_diff(workspace, COFFER_DIFF_NAMES, NULL, note_some, &n, NULL) == 0 && n == 0;
}

static int apply(const struct options *options, struct opened *opened, struct coffer_error *error)
{
	const struct coffer_apply_options wanted = { .size = sizeof(wanted),
		                                     .paths = options->words.n ? options->argv : NULL,
		                                     .allow = options->allowed.n ? options->allowed.at : NULL,
		                                     .hunks = options->hunks.n ? options->hunks.at : NULL,
		                                     .look_only = options->given[OPTION_CHECK] };
	char *text = NULL;
	int r = coffer_workspace_apply(opened->workspace, &wanted, options->given[OPTION_JSON] ? COFFER_JSON : COFFER_TEXT, &text, error);
	if (text)
		(void)fd_write_all(STDOUT_FILENO, text, strlen(text));
	coffer_text_free(text);
	return r;
}

int command_apply(const struct options *options)
{
	struct opened opened;
	struct coffer_error error;
	int r = open_it(options->value[OPTION_IN], &opened, &error);
	if (r < 0) {
		say_error(&error);
		return EXIT_FAILED;
	}
	r = apply(options, &opened, &error);
	if (r < 0)
		say_error(&error);
	else if (!options->given[OPTION_CHECK] && !options->given[OPTION_KEEP] && is_empty(opened.workspace))
		(void)coffer_workspace_remove(opened.coffer, coffer_workspace_name(opened.workspace), NULL);
	close_it(&opened);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}

/* ---- discard ---- */

static int list(const struct options *options, struct coffer_error *error)
{
	struct coffer *coffer = NULL;
	char *text = NULL;
	int r = coffer_new(&coffer, error);
	if (r == 0)
		r = coffer_workspaces_text(coffer, options->given[OPTION_JSON] ? COFFER_JSON : COFFER_TEXT, &text, error);
	if (r == 0)
		r = fd_write_all(STDOUT_FILENO, text, strlen(text));
	coffer_text_free(text);
	coffer_free(coffer);
	return r;
}

static int discard_latest(struct coffer_error *error)
{
	struct opened opened;
	int r = open_it(NULL, &opened, error);
	if (r < 0)
		return r;
	r = coffer_workspace_remove(opened.coffer, coffer_workspace_name(opened.workspace), error);
	if (r == 0)
		say("discarded %s", coffer_workspace_name(opened.workspace));
	close_it(&opened);
	return r;
}

static int discard_named(const struct options *options, struct coffer_error *error)
{
	struct coffer *coffer = NULL;
	int r = coffer_new(&coffer, error);
	for (size_t i = 0; r == 0 && i < options->words.n; i++)
		r = coffer_workspace_remove(coffer, options->words.at[i], error);
	coffer_free(coffer);
	return r;
}

int command_discard(const struct options *options)
{
	struct coffer_error error;
	int r;
	if (options->given[OPTION_LIST])
		r = list(options, &error);
	else
		r = options->words.n ? discard_named(options, &error) : discard_latest(&error);
	if (r < 0)
		say_error(&error);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}
