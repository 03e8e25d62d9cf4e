#include "cli/request.h"

#include "base/num.h"
#include "cli/command.h"
#include "cli/say.h"

#include <errno.h>
#include <string.h>

/* Every mistake of every source is said, so nothing stops at the first; *error keeps the first. */
struct gathering {
	struct coffer_policy *policy;
	struct coffer_error *error;
	int failed;
};

static void note(struct gathering *gathering, int r, const struct coffer_error *error)
{
	if (r == 0)
		return;
	say_problems(gathering->policy, error);
	if (gathering->failed == 0) {
		gathering->failed = r;
		*gathering->error = *error;
	}
}

static void add_profile(struct gathering *gathering, const char *name)
{
	struct coffer_error error;
	if (name)
		note(gathering, coffer_policy_profile(gathering->policy, name, &error), &error);
}

static void add_files(struct gathering *gathering, const struct text_vec *files)
{
	struct coffer_error error;
	for (size_t i = 0; i < files->n; i++)
		note(gathering, coffer_policy_read_file(gathering->policy, files->at[i], &error), &error);
}

static void add_settings(struct gathering *gathering, const struct option_setting_vec *settings)
{
	struct coffer_error error;
	for (size_t i = 0; i < settings->n; i++) {
		const struct option_setting *entry = &settings->at[i];
		note(gathering, coffer_policy_set_why(gathering->policy, entry->setting->pointer, entry->value, entry->why, &error),
		     &error);
	}
}

static int make_policy(const struct options *options, struct coffer_policy *policy, struct coffer_error *error)
{
	struct gathering gathering = { .policy = policy, .error = error };
	add_profile(&gathering, options->value[OPTION_PROFILE]);
	add_files(&gathering, &options->files);
	add_settings(&gathering, &options->settings);
	return gathering.failed;
}

static int no_command(const struct options *options, struct coffer_error *error)
{
	const char *name = options->command->name;
	say("%s: no command to %s; `coffer %s -- CMD`, or `coffer %s --help`", name, name, name, name);
	memset(error, 0, sizeof(*error));
	error->code = COFFER_ERROR_USAGE;
	static const char text[] = "no command";
	memcpy(error->text, text, sizeof(text));
	return -EINVAL;
}

int request_option_ms(const struct options *options, enum option_id id, uint64_t *ret_ms)
{
	const char *text = options->value[id];
	*ret_ms = 0;
	if (!text)
		return 0;
	if (num_duration(text, ret_ms) == 0 && *ret_ms > 0 && *ret_ms != NUM_UNLIMITED)
		return 0;
	say("%s: --%s takes a time such as 30s, 10m or 8h, not \"%s\"", options->command->name, option_table[id].name, text);
	return -EINVAL;
}

static int finish(int r, struct cli_request *made, struct cli_request *ret_request)
{
	if (r < 0)
		request_done(made);
	else
		*ret_request = *made;
	return r;
}

int request_make_policy(const struct options *options, struct cli_request *ret_request, struct coffer_error *error)
{
	struct cli_request made = { NULL, NULL, NULL, NULL };
	int r = coffer_policy_new(&made.policy, error);
	if (r == 0) {
		r = make_policy(options, made.policy, error);
		if (r < 0)
			return finish(r, &made, ret_request);
		r = coffer_new(&made.coffer, error);
	}
	if (r < 0)
		say_error(error);
	return finish(r, &made, ret_request);
}

int request_make(const struct options *options, struct cli_request *ret_request, struct coffer_error *error)
{
	struct cli_request made = { NULL, NULL, NULL, NULL };
	int r = request_make_policy(options, &made, error);
	if (r == 0 && options->words.n == 0)
		r = no_command(options, error);
	else if (r == 0)
		r = coffer_request_new(made.coffer, made.policy, options->argv, &made.request, error);
	if (r < 0 && options->words.n && made.coffer)
		say_error(error);
	return finish(r, &made, ret_request);
}

/* The two dashes end the options of coffer, and have been left in place behind the name. */
const char *const *request_command_of(const struct options *options)
{
	const char *const *argv = options->argv;
	if (options->words.n == 0)
		return argv;
	return argv[1] && strcmp(argv[1], "--") == 0 ? argv + 2 : argv + 1;
}

static int limit(const struct options *options, struct coffer_request *request)
{
	uint64_t timeout_ms;
	int r = request_option_ms(options, OPTION_TIMEOUT, &timeout_ms);
	if (r == 0)
		coffer_request_limits(request, timeout_ms, 0);
	return r;
}

static int option_size(const struct options *options, enum option_id id, uint64_t *size)
{
	const char *text = options->value[id];
	if (!text || (num_size(text, size) == 0 && *size != NUM_UNLIMITED))
		return 0;
	say("%s: --%s takes a size such as 64K or 1M, not \"%s\"", options->command->name, option_table[id].name, text);
	return -EINVAL;
}

static int spill(const struct options *options, struct coffer_request *request)
{
	enum { FILE_BYTES_DEFAULT = 256 << 20 };
	uint64_t most = 0, file_bytes = FILE_BYTES_DEFAULT;
	int r = option_size(options, OPTION_MAX_OUTPUT, &most);
	if (r == 0)
		r = option_size(options, OPTION_SPILL, &file_bytes);
	if (r == 0 && options->value[OPTION_MAX_OUTPUT] && most == 0) {
		say("%s: --max-output takes a size such as 64K or 1M, not nothing", options->command->name);
		return -EINVAL;
	}
	if (r == 0 && most)
		coffer_request_spill(request, most, file_bytes, true);
	return r;
}

int request_make_exec(const struct options *options, struct cli_request *ret_request, struct coffer_error *error)
{
	struct cli_request made = { NULL, NULL, NULL, NULL };
	const char *const *argv = request_command_of(options);
	if (!argv[0])
		return no_command(options, error);
	int r = coffer_new(&made.coffer, error);
	if (r == 0)
		r = coffer_session_open(made.coffer, options->words.at[0], &made.session, error);
	if (r == 0)
		r = coffer_session_request(made.session, argv, &made.request, error);
	if (r == 0 && options->value[OPTION_CWD])
		r = coffer_request_directory(made.request, options->value[OPTION_CWD], error);
	if (r < 0)
		say_error(error);
	else
		r = limit(options, made.request);
	if (r == 0)
		r = spill(options, made.request);
	if (r == 0 && options->variables.n)
		coffer_request_environment(made.request, options->variables.at);
	return finish(r, &made, ret_request);
}

void request_done(struct cli_request *request)
{
	coffer_request_free(request->request);
	coffer_session_free(request->session);
	coffer_policy_free(request->policy);
	coffer_free(request->coffer);
}
