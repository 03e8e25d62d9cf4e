/*
 * code.c: `coffer code`. A snippet is read here, and becomes a request; from there on it is as with `coffer run`.
 */
#include "base/num.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/request.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 256 };

/* What is read is not freed: this process ends with the run. */
struct snippet {
	const struct options *options;
	struct coffer_code code;
	struct coffer_file files[FILES_MAX];
	bool from_stdin;
};

static int fail(struct coffer_error *error, enum coffer_error_code code, int errnum, const char *text)
{
	*error = (struct coffer_error){ .code = code, .errnum = errnum };
	snprintf(error->text, sizeof(error->text), "%s", text);
	say_error(error);
	return -errnum;
}

static int fail_file(struct coffer_error *error, const char *path, int errnum)
{
	autostr struct str text = { 0 };
	str_init(&text, COFFER_TEXT_MAX);
	str_printf(&text, "code: %s: %s", path, errnum == EFBIG ? "more than 4 MiB" : strerror(errnum));
	return fail(error, errnum == ENOENT ? COFFER_ERROR_NOTFOUND : COFFER_ERROR_USAGE, errnum, text.text);
}

/* All that there is to read. 0, or a negative errno. */
static int take(int fd, struct coffer_file *file)
{
	char *bytes = malloc(COFFER_CODE_MAX + 1);
	ssize_t done = 1;
	size_t n = 0;
	if (!bytes)
		return -ENOMEM;
	while (done > 0 && n <= COFFER_CODE_MAX) {
		done = read(fd, bytes + n, COFFER_CODE_MAX + 1 - n);
		n += done > 0 ? (size_t)done : 0;
	}
	if (done < 0 || n > COFFER_CODE_MAX) {
		int r = done < 0 ? -errno : -EFBIG;
		free(bytes);
		return r;
	}
	file->bytes = bytes;
	file->n = n;
	return 0;
}

static int take_path(const char *path, struct coffer_file *file, struct coffer_error *error)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : take(fd, file);
	return r < 0 ? fail_file(error, path, -r) : 0;
}

/* "NAME=PATH", or a path whose last component is the name. */
static int take_beside(struct snippet *snippet, const char *text, struct coffer_error *error)
{
	const char *equals = strchr(text, '='), *slash = strrchr(text, '/');
	struct coffer_file *file = &snippet->files[snippet->code.file_count];
	if (snippet->code.file_count == FILES_MAX)
		return fail(error, COFFER_ERROR_LIMIT, E2BIG, "code: more than 256 files");
	snippet->code.file_count++;
	file->name = slash ? slash + 1 : text;
	if (equals && (!strchr(text, '/') || equals < strchr(text, '/'))) {
		file->name = strndup(text, (size_t)(equals - text));
		text = equals + 1;
	}
	return file->name ? take_path(text, file, error) : fail(error, COFFER_ERROR_LIMIT, ENOMEM, "out of memory");
}

static int take_source(struct snippet *snippet, struct coffer_error *error)
{
	const struct options *options = snippet->options;
	struct coffer_file *source = &snippet->code.source;
	const char *eval = options->value[OPTION_EVAL], *path = options->argv[0];
	if (eval) {
		*source = (struct coffer_file){ .bytes = eval, .n = strlen(eval) };
		return 0;
	}
	if (!path)
		return fail(error, COFFER_ERROR_USAGE, EINVAL,
		            "code: no snippet; `coffer code FILE`, `coffer code -l python -e CODE`, or `coffer code --help`");
	snippet->from_stdin = strcmp(path, "-") == 0;
	if (snippet->from_stdin) {
		int r = take(STDIN_FILENO, source);
		return r < 0 ? fail_file(error, "standard input", -r) : 0;
	}
	snippet->code.path = path;
	source->name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	return take_path(path, source, error);
}

/* The two dashes that end coffer's options are not the snippet's. */
static const char *const *arguments_of(const struct options *options)
{
	const char *const *argv = options->argv;
	if (options->value[OPTION_EVAL])
		return argv;
	return argv[1] && strcmp(argv[1], "--") == 0 ? argv + 2 : argv + 1;
}

/* A number of 3 or above is a descriptor, anything else a file, which is begun anew. */
static int open_results(const char *text, int *ret_fd, struct coffer_error *error)
{
	uint64_t number = 0;
	if (!text)
		return 0;
	if (num_count(text, &number) == 0) {
		*ret_fd = number >= 3 && number < INT_MAX && fcntl((int)number, F_SETFD, FD_CLOEXEC) == 0 ? (int)number : -1;
		return *ret_fd >= 0 ? 0
		                    : fail(error, COFFER_ERROR_USAGE, EBADF,
		                           "code: --results: no such descriptor is open: 3 or above, `3> results.json`");
	}
	*ret_fd = open(text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	return *ret_fd < 0 ? fail_file(error, text, errno) : 0;
}

static int read_snippet(struct snippet *snippet, struct coffer_error *error)
{
	const struct options *options = snippet->options;
	int r = take_source(snippet, error);
	for (size_t i = 0; r == 0 && i < options->beside.n; i++)
		r = take_beside(snippet, options->beside.at[i], error);
	if (r < 0)
		return r;
	r = open_results(options->value[OPTION_RESULTS], &snippet->code.results, error);
	if (r < 0)
		return r;
	snippet->code.size = sizeof(snippet->code);
	snippet->code.language = options->value[OPTION_LANGUAGE];
	snippet->code.files = snippet->files;
	snippet->code.arguments = arguments_of(options);
	return 0;
}

int request_make_code(const struct options *options, struct cli_request *ret_request, struct coffer_error *error)
{
	static struct snippet snippet;
	struct cli_request made = { NULL, NULL, NULL, NULL };
	snippet.options = options;
	int r = read_snippet(&snippet, error);
	if (r < 0)
		return r;
	r = request_make_policy(options, &made, error);
	if (r < 0)
		return r;
	r = coffer_code_request(made.coffer, made.policy, &snippet.code, &made.request, error);
	if (r < 0) {
		say_error(error);
		request_done(&made);
		return r;
	}
	if (options->given[OPTION_TRY])
		coffer_request_try(made.request);
	*ret_request = made;
	return 0;
}

static int list(const struct options *options)
{
	struct cli_request made = { NULL, NULL, NULL, NULL };
	struct coffer_error error;
	struct coffer_language language;
	autostr struct str out = { 0 };
	str_init(&out, COFFER_CODE_MAX);
	if (request_make_policy(options, &made, &error) < 0)
		return EXIT_FAILED;
	for (size_t i = 0; coffer_language_at(made.policy, i, &language); i++) {
		size_t n = strcspn(language.names, " ");
		str_printf(&out, "%-11.*s %-8s %-16s ", (int)n, language.names, language.is_there ? "here" : "missing",
		           language.names[n] ? language.names + n + 1 : "");
		if (!language.is_there)
			str_printf(&out, "apt-get install %s", language.packages);
		while (out.len && out.text[out.len - 1] == ' ')
			out.text[--out.len] = '\0';
		str_add_char(&out, '\n');
	}
	request_done(&made);
	return fd_write_all(STDOUT_FILENO, out.text, out.len) < 0 ? EXIT_FAILED : EXIT_FINE;
}

int command_code(const struct options *options)
{
	if (options->given[OPTION_LANGUAGES])
		return list(options);
	return (options->given[OPTION_EXPLAIN] ? request_explain : request_run)(options, request_make_code);
}
