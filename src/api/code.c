#include "api/api.h"

#include "base/path.h"
#include "code/command.h"
#include "code/support.h"
#include "session/snippet.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int give(struct coffer_request *request, const char *name, const struct coffer_file *file)
{
	struct input_own *slot = input_own_vec_add(&request->own_files, &request->arena);
	if (!slot)
		return -ENOMEM;
	*slot = (struct input_own){ .name = arena_dup(&request->arena, name),
		                    .bytes = arena_dup_n(&request->arena, file->bytes ? file->bytes : "", file->n),
		                    .n = file->n };
	return slot->name && slot->bytes ? 0 : -ENOMEM;
}

/* The plan carries them. */
static int check_size(const struct coffer_code *code, struct err *err)
{
	size_t bytes = code->source.n;
	for (size_t i = 0; i < code->file_count && bytes <= COFFER_CODE_MAX; i++)
		bytes = code->files[i].n > COFFER_CODE_MAX ? code->files[i].n : bytes + code->files[i].n;
	if (bytes > COFFER_CODE_MAX)
		return err_set(err, ERR_LIMIT, EFBIG,
		               "code and its files are more than %d bytes: leave large ones in the working directory", COFFER_CODE_MAX);
	return 0;
}

static int find_language(const struct coffer_code *code, const struct code_language **ret_language, struct err *err)
{
	char nearest[CODE_NAME_MAX];
	if (!code->language) {
		*ret_language = code_language_of(code->source.name, code->source.bytes, code->source.n);
		if (*ret_language)
			return 0;
		return err_set(err, ERR_USAGE, EINVAL, "which language? %s%sneither a #! line nor a known suffix tells: say --language",
		               code->source.name ? code->source.name : "", code->source.name ? ": " : "");
	}
	*ret_language = code_language_named(code->language);
	if (*ret_language)
		return 0;
	if (code_language_nearest(code->language, nearest))
		return err_set(err, ERR_USAGE, EINVAL, "unknown language \"%s\"; did you mean %s?", code->language, nearest);
	return err_set(err, ERR_USAGE, EINVAL, "unknown language \"%s\"; `coffer code --list` lists them", code->language);
}

static int give_all(const struct coffer_code *code, const char *name, struct coffer_request *request, struct err *err)
{
	int r = give(request, name, &code->source);
	for (size_t i = 0; r == 0 && i < code->file_count; i++) {
		if (!code->files[i].name || !code_name_is_plain(code->files[i].name))
			return err_set(
			    err, ERR_USAGE, EINVAL,
			    "file \"%s\": its name inside may have letters, digits and \"_.-\" alone, and starts with none of the last two",
			    code->files[i].name ? code->files[i].name : "");
		r = give(request, code->files[i].name, &code->files[i]);
	}
	return r < 0 ? err_set(err, ERR_LIMIT, -r, "no memory for the code") : 0;
}

/* The arguments are the caller's until here. */
static int set_command(struct coffer_request *request, const struct code_command *command, struct err *err)
{
	const struct code_support *support = command->support ? code_support_named(command->support) : NULL;
	int r = api_request_argv(request, command->argv);
	request->own_directory = CODE_DIRECTORY;
	if (r == 0 && support) {
		const struct coffer_file file = { NULL, support->text, support->n };
		r = give(request, arena_printf(&request->arena, ".%s", support->name), &file);
	}
	return r < 0 ? err_set(err, ERR_LIMIT, -r, "no memory for the code") : 0;
}

static int bring(const struct coffer_code *code, struct coffer_request *request, struct code_snippet *snippet, struct err *err)
{
	const char *name = code_file_name(snippet->language, code->source.name, &request->arena);
	snippet->source = name ? path_join(&request->arena, CODE_DIRECTORY, name) : NULL;
	return snippet->source ? give_all(code, name, request, err) : err_set(err, ERR_LIMIT, ENOMEM, "no memory for the code");
}

static int make(struct coffer_request *request, const struct coffer_code *code, struct err *err)
{
	const struct session_request looked = { .policy = &request->policy->policy, .env = (const char *const *)environ };
	struct code_snippet snippet = { .arguments = code->arguments, .results = code->results > 0 };
	struct code_command command;
	int r = check_size(code, err);
	if (r == 0)
		r = find_language(code, &snippet.language, err);
	if (r < 0)
		return r;
	if (code->path && code->file_count == 0)
		snippet.source = snippet_in_place(&looked, code->path, &request->arena);
	if (!snippet.source)
		r = bring(code, request, &snippet, err);
	if (r == 0)
		r = snippet_command(&looked, &snippet, &request->arena, &command, err);
	request->results_fd = code->results;
	if (r == 0)
		r = set_command(request, &command, err);
	return r;
}

int coffer_code_request(struct coffer *coffer, const struct coffer_policy *policy, const struct coffer_code *code,
                        struct coffer_request **ret_request, struct coffer_error *error)
{
	static const char *const nothing[] = { "true", NULL };
	struct coffer_request *request = NULL;
	struct err err = { 0 };
	if (!code || code->size < sizeof(*code) || (!code->source.bytes && code->source.n))
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "a snippet needs its source, and its structure's size"), &err, error);
	int r = coffer_request_new(coffer, policy, nothing, &request, error);
	if (r < 0)
		return r;
	r = make(request, code, &err);
	if (r < 0)
		coffer_request_free(request);
	else
		*ret_request = request;
	return api_fail(r, &err, error);
}

int coffer_language_at(const struct coffer_policy *policy, size_t index, struct coffer_language *ret_language)
{
	const struct code_language *language = code_language_at(index);
	const struct session_request looked = { .policy = &policy->policy, .env = (const char *const *)environ };
	struct arena arena;
	if (!language)
		return 0;
	arena_init(&arena, API_ARENA_MAX);
	*ret_language = (struct coffer_language){ .names = language->names,
		                                  .suffixes = language->suffixes,
		                                  .packages = language->packages,
		                                  .image = language->image,
		                                  .is_there = snippet_program(&looked, language, &arena) != NULL };
	arena_done(&arena);
	return 1;
}
