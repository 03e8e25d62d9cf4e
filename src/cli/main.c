/*
 * main.c: the table of commands. Each has a file of its own and knows nothing of the others.
 */
#include "cli/command.h"
#include "cli/nearest.h"
#include "cli/say.h"

#include <string.h>

enum { CLI_ARENA_MAX = 16 << 20 };

/* clang-format off: a table is read by its columns */
const struct command commands[] = {
	{ "run", command_run, ON_RUN, true, "[options] [--] CMD [ARG…]", "run a command in a fresh sandbox",
	  "  coffer run -- python3 main.py            read the toolchain and this directory, write nothing, no network\n"
	  "  coffer run --write . -- make test        the working directory may be written; .git/hooks and its like stay protected\n"
	  "  coffer run --memory 512M --timeout 30s --network off -- ./a.out < input\n"
	  "  coffer run --settings policy.json --json 3 -- npm test 3> outcome.json\n" },
	{ "explain", command_explain, ON_EXPLAIN, true, "[options] [--] CMD [ARG…]", "show the plan of a run, before anything happens",
	  "  coffer explain -- make test              every step, and which setting asked for it\n"
	  "  coffer explain --json --write . -- make test | jq .operations\n" },
	{ "why", command_why, ON_WHY, false, "[options] [RUN]", "explain what the last run, or RUN, was refused",
	  "  coffer why                               who, what, which rule, the smallest change that would allow it\n"
	  "  coffer why 7f3a --json | jq .denials\n" },
	{ "doctor", command_doctor, ON_DOCTOR, false, "[options]", "show what this machine can enforce, and how to get what it lacks",
	  "  coffer doctor                            exit status 0: full protection; 1: something is missing\n"
	  "  coffer doctor --json | jq '.findings[] | select(.fix)'\n" },
	{ "gc", command_gc, ON_GC, false, "", "clear what runs that were ended by force have left",
	  "  coffer gc                                every run does it in passing; this does it now\n" },
	{ "completion", command_completion, ON_COMPLETION, false, "bash|zsh|fish", "print a completion script for a shell",
	  "  coffer completion bash > ~/.local/share/bash-completion/completions/coffer\n"
	  "  coffer completion zsh > ~/.zfunc/_coffer\n"
	  "  coffer completion fish > ~/.config/fish/completions/coffer.fish\n" },
	{ "version", command_version, ON_VERSION, false, "", "print the version", "  coffer version\n" },
	{ "help", command_help, ON_HELP, false, "[COMMAND|schema]", "show help, or the JSON Schema of settings files",
	  "  coffer help run\n"
	  "  coffer help schema > coffer-settings.schema.json\n" },
	{ NULL, NULL, 0, false, NULL, NULL, NULL },
};
/* clang-format on */

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

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

int main(int argc, char **argv)
{
	if (argc < 2) {
		say("no command; `coffer help` shows what there is, `coffer run -- CMD` runs CMD in a sandbox");
		return EXIT_FAILED;
	}
	const char *word = command_word(argv[1]);
	const struct command *command = command_find(word);
	return command ? run_command(command, (const char *const *)argv + 2) : say_no_command(word);
}
