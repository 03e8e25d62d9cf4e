#include "base/nearest.h"
#include "cli/command.h"
#include "cli/say.h"
#include "cli/srt.h"
#include "cli/trial.h"
#include "sys/fd.h"

#include <string.h>

enum { CLI_ARENA_MAX = 16 << 20 };

static int say_no_command(const char *word)
{
	struct nearest nearest = { .wanted = word };
	for (const struct command *command = commands; command->name; command++)
		nearest_try(&nearest, command->name);
	if (nearest.word)
		say("there is no command \"%s\"; did you mean `coffer %s`?", word, nearest.word);
	else
		say("there is no command \"%s\"; to run it in a sandbox: `coffer run -- %s`; `coffer help` lists the commands", word, word);
	return EXIT_FAILED;
}

/* `coffer session`, and what is no part of it: its own help, for there is no other. */
static int say_no_session_command(const char *word)
{
	struct nearest nearest = { .wanted = word ? word : "" };
	bool asks = word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
	for (const struct command *command = commands; command->name; command++) {
		if (strncmp(command->name, "session ", 8) != 0)
			continue;
		nearest_try(&nearest, command->name + 8);
		if (asks || !word)
			say("coffer %s %s: %s", command->name, command->arguments, command->summary);
	}
	if (word && !asks && nearest.word)
		say("there is no command \"session %s\"; did you mean `coffer session %s`?", word, nearest.word);
	else if (word && !asks)
		say("there is no command \"session %s\"; `coffer session --help` lists them", word);
	return asks ? EXIT_FINE : EXIT_FAILED;
}

/* coffer --version, coffer -h: as people expect, though these are commands. */
static const char *command_word(const char *word)
{
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return "version";
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ? "help" : word;
}

static int run_command(const struct command *command, const char *const *argv)
{
	struct options options = { 0 };
	struct arena arena;
	int status = EXIT_FAILED;
	arena_init(&arena, CLI_ARENA_MAX);
	if (options_parse(command, argv, &arena, &options) == 0) {
		if (options.given[OPTION_HELP])
			help_print(command);
		status = options.given[OPTION_HELP] ? EXIT_FINE : command->run(&options);
	}
	arena_done(&arena);
	return status;
}

static bool is_called(const char *path, const char *name)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	return path && strcmp(slash ? slash + 1 : path, name) == 0;
}

int main(int argc, char **argv)
{
	if (fd_fill_standard() < 0)
		return EXIT_FAILED;
	if (argc > 0 && is_called(argv[0], "srt-proxy"))
		return srt_proxy_called((const char *const *)argv + 1);
	if (argc > 0 && (is_called(argv[0], "srt") || is_called(argv[0], "srt-py")))
		return srt_main((const char *const *)argv + 1, is_called(argv[0], "srt-py"));
	if (argc > 0 && is_called(argv[0], TRIAL_NAME))
		return trial_called((const char *const *)argv + 1);
	if (argc < 2) {
		say("no command; `coffer help` shows what there is, `coffer run -- CMD` runs CMD in a sandbox");
		return EXIT_FAILED;
	}
	const char *word = command_word(argv[1]);
	int words = 1;
	const struct command *command = command_find(word, argc > 2 ? argv[2] : NULL, &words);
	if (!command && strcmp(word, "session") == 0)
		return say_no_session_command(argc > 2 ? argv[2] : NULL);
	return command ? run_command(command, (const char *const *)argv + 1 + words) : say_no_command(word);
}
