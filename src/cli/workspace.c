/* `coffer diff`, `apply` and `discard`: what becomes of what a try or a session has changed. */
#include "cli/workspace.h"

#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/request.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SUMMARY_LINES = 10, SUMMARY_BYTES = 64 << 10, PATHS_ARENA_MAX = 64 << 20 };

/* The context lives as long as the workspace. */
struct opened {
	struct coffer *coffer;
	struct coffer_workspace *workspace;
	struct arena arena; /* of paths */
};

static void close_it(struct opened *opened)
{
	coffer_workspace_free(opened->workspace);
	coffer_free(opened->coffer);
	arena_done(&opened->arena);
}

static int open_it(const char *name, struct opened *ret_opened, struct coffer_error *error)
{
	struct opened opened = { NULL, NULL, { 0 } };
	arena_init(&opened.arena, PATHS_ARENA_MAX);
	int r = coffer_new(&opened.coffer, error);
	if (r == 0)
		r = coffer_workspace_open(opened.coffer, name, &opened.workspace, error);
	if (r < 0)
		close_it(&opened);
	else
		*ret_opened = opened;
	return r;
}

/* ---- paths ---- */

/* Where relative paths begin: here when that is inside the workspace's base, else at the base. */
static const char *start_of(const char *base, char here[static PATH_BYTES_MAX + 1])
{
	if (getcwd(here, PATH_BYTES_MAX + 1) && path_is_normal(here) && path_within(here, base))
		return here;
	return base;
}

static void complain(const char *text, const char *base, struct coffer_error *error)
{
	autostr struct str line = { 0 };
	str_init(&line, sizeof(error->text) - 1);
	str_add_char(&line, '"');
	str_add_escaped(&line, text, strlen(text));
	str_add(&line, "\" is no path inside of ");
	str_add_escaped(&line, base, strlen(base));
	*error = (struct coffer_error){ .code = COFFER_ERROR_USAGE };
	(void)snprintf(error->text, sizeof(error->text), "%s", line.failed ? "a path leads out of the workspace" : line.text);
}

/* The path as the workspace knows it: below its base. */
static const char *path_of(struct opened *opened, const char *text, struct coffer_error *error)
{
	const char *base = coffer_workspace_base(opened->workspace), *path, *below;
	char here[PATH_BYTES_MAX + 1];
	if (!base)
		base = "/";
	/* joined here, for "~" is a name like any other: the shell has expanded what it would */
	path = *text == '/' ? text : *text ? arena_printf(&opened->arena, "%s/%s", start_of(base, here), text) : NULL;
	below = path && path_normalize(&opened->arena, path, base, NULL, &path) == 0 ? path_below(path, base) : NULL;
	if (!below)
		complain(text, base, error);
	return below;
}

/* "src/main.c:1,3"; what has no colon is for others to complain of. */
static const char *hunk_of(struct opened *opened, const char *text, struct coffer_error *error)
{
	const char *colon = strrchr(text, ':');
	const char *path = colon ? arena_dup_n(&opened->arena, text, (size_t)(colon - text)) : NULL;
	if (!colon)
		return text;
	path = path ? path_of(opened, path, error) : NULL;
	return path ? arena_printf(&opened->arena, "%s%s", path, colon) : NULL;
}

typedef const char *path_reader(struct opened *opened, const char *text, struct coffer_error *error);

/* NULL-terminated; NULL when there are none, which is all of them. */
static int paths_of(struct opened *opened, const struct text_vec *texts, path_reader *one, const char *const **ret_paths,
                    struct coffer_error *error)
{
	const char **paths = texts->n ? arena_array(&opened->arena, texts->n + 1, sizeof(*paths)) : NULL;
	*ret_paths = paths;
	*error = (struct coffer_error){ .code = COFFER_ERROR_LIMIT, .text = "no memory for that many paths" };
	if (texts->n && !paths)
		return -ENOMEM;
	for (size_t i = 0; i < texts->n; i++) {
		paths[i] = one(opened, texts->at[i], error);
		if (!paths[i])
			return -EINVAL;
	}
	if (paths)
		paths[texts->n] = NULL;
	return 0;
}

/* ---- after a try ---- */

static int keep(void *context, const char *bytes, size_t n)
{
	str_add_n(context, bytes, n);
	return 0;
}

static const char *say_line(const char *text)
{
	size_t n = strcspn(text, "\n");
	say("  %.*s", (int)n, text);
	return text + n + (text[n] == '\n');
}

/* The first of them, and the last, which is their sum. */
static void say_lines(const char *text)
{
	const char *last = text;
	for (const char *end = strchr(text, '\n'); end && end[1]; end = strchr(end + 1, '\n'))
		last = end + 1;
	for (size_t shown = 0; text < last && shown < SUMMARY_LINES; shown++)
		text = say_line(text);
	if (text < last)
		say("  …");
	if (*last)
		(void)say_line(last);
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
	if ((from || to) && options->words.n) {
		say("diff: --from and --to compare whole layers: leave \"%s\" out", options->words.at[0]);
		return -EINVAL;
	}
	if ((from && num_count(from + (*from == '@'), &ret_range->from) < 0) || (to && num_count(to + (*to == '@'), &ret_range->to) < 0)) {
		say("diff: --from and --to take the number of a layer, as `coffer session log` shows them");
		return -EINVAL;
	}
	return 0;
}

static int diff(const struct options *options, struct opened *opened, const struct coffer_range *range, struct coffer_error *error)
{
	const char *const *paths;
	int r = paths_of(opened, &options->words, path_of, &paths, error);
	if (r < 0)
		return r;
	if (options->value[OPTION_FROM] || options->value[OPTION_TO])
		return coffer_workspace_diff_layers(opened->workspace, *range, form_of(options), put, NULL, error);
	return coffer_workspace_diff(opened->workspace, form_of(options), paths, put, NULL, error);
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

static struct coffer_request *volatile testing;

static void cancel(int number)
{
	(void)number;
	if (testing)
		coffer_cancel(testing);
}

/* What would end this process ends the test, whatever that makes of it: a test that was interrupted has not been passed. */
static void end_with_signals(struct coffer_request *request)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = cancel, .sa_flags = SA_RESTART };
	testing = request;
	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		(void)sigaction(ending[i], &action, NULL);
}

/* Both streams go to standard error: standard output is the report's. */
static int make_test(const struct options *options, const char *const *argv, struct cli_request *ret_request, struct coffer_error *error)
{
	int r = request_make_policy(options, ret_request, error);
	if (r < 0)
		return r;
	if (options->value[OPTION_TIMEOUT])
		r = coffer_policy_set_why(ret_request->policy, "limits.timeout", options->value[OPTION_TIMEOUT], "--timeout", error);
	if (r == 0)
		r = coffer_request_new(ret_request->coffer, ret_request->policy, argv, &ret_request->request, error);
	if (r < 0) {
		say_error(error);
		return r;
	}
	coffer_request_streams(ret_request->request, STDIN_FILENO, STDERR_FILENO, STDERR_FILENO);
	end_with_signals(ret_request->request);
	return 0;
}

static int apply(const struct options *options, struct opened *opened, struct coffer_request *test, struct coffer_error *error)
{
	struct coffer_apply_options wanted = { .size = sizeof(wanted), .look_only = options->given[OPTION_CHECK], .test = test };
	char *text = NULL;
	int r = paths_of(opened, &options->words, path_of, &wanted.paths, error);
	if (r == 0)
		r = paths_of(opened, &options->allowed, path_of, &wanted.allow, error);
	if (r == 0)
		r = paths_of(opened, &options->hunks, hunk_of, &wanted.hunks, error);
	if (r < 0)
		return r;
	r = coffer_workspace_apply(opened->workspace, &wanted, options->given[OPTION_JSON] ? COFFER_JSON : COFFER_TEXT, &text, error);
	if (text)
		(void)fd_write_all(STDOUT_FILENO, text, strlen(text));
	coffer_text_free(text);
	return r;
}

int command_apply(const struct options *options)
{
	const char *const argv[] = { "sh", "-c", options->value[OPTION_TEST], NULL };
	struct cli_request test = { .request = NULL };
	struct opened opened;
	struct coffer_error error;
	int r = open_it(options->value[OPTION_IN], &opened, &error);
	if (r < 0) {
		say_error(&error);
		return EXIT_FAILED;
	}
	if (options->value[OPTION_TEST] && make_test(options, argv, &test, &error) < 0) {
		close_it(&opened);
		return EXIT_FAILED;
	}
	r = apply(options, &opened, test.request, &error);
	testing = NULL;
	request_done(&test);
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
