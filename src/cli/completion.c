/*
 * completion.c: completion scripts, printed from the same tables as the parser and --help.
 *
 * Each shell gets one function that knows every command with its options. What follows the command line of `coffer run` is completed
 * as the shell completes any command.
 */
#include "cli/command.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { SCRIPT_MAX = 256 << 10 };

/* Calls add for each option of a command, from both tables. */
static void each_option(const struct command *command, struct str *s,
                        void (*add)(struct str *s, const struct command *command, const struct option *option))
{
	const struct coffer_setting *setting = NULL;
	for (size_t i = 0; i < OPTIONS_END; i++)
		if (option_table[i].commands & command->on)
			add(s, command, &option_table[i]);
	for (size_t i = 0; options_take_settings(command) && (setting = coffer_setting_at(i)); i++) {
		struct option option = { 0, setting->option, options_argument(setting), command->on, setting->sentence };
		if (setting->option)
			add(s, command, &option);
		option.name = setting->alias;
		if (setting->alias)
			add(s, command, &option);
	}
}

/* "session create": the group is the first word. NULL: a command of one word. */
static const char *second_word(const struct command *command)
{
	const char *space = strchr(command->name, ' ');
	return space ? space + 1 : NULL;
}

/* The commands of a group stand together; the first one brings the group's word. */
static bool opens_group(const struct command *command)
{
	size_t n = strcspn(command->name, " ");
	return second_word(command) && (command == commands || strncmp(command[-1].name, command->name, n + 1) != 0);
}

static void add_first_words(struct str *s, const char *separator)
{
	for (const struct command *command = commands; command->name; command++)
		if (!second_word(command) || opens_group(command))
			str_printf(s, "%s%.*s", command == commands ? "" : separator, (int)strcspn(command->name, " "), command->name);
}

static void add_second_words(struct str *s, const struct command *group, const char *separator)
{
	for (const struct command *command = group; command->name && second_word(command) && (command == group || !opens_group(command));
	     command++)
		str_printf(s, "%s%s", command == group ? "" : separator, second_word(command));
}

static void add_profiles(struct str *s)
{
	for (size_t i = 0; coffer_profile_at(i); i++)
		str_printf(s, "%s%s", i ? " " : "", coffer_profile_at(i));
}

/* "off|host" as words. */
static void add_choices(struct str *s, const char *choices)
{
	while (*choices) {
		size_t n = strcspn(choices, "|");
		str_add_n(s, choices, n);
		choices += n;
		if (*choices++ != '|')
			return;
		str_add_char(s, ' ');
	}
}

/* ---- bash ---- */

static void add_bash_option(struct str *s, const struct command *command, const struct option *option)
{
	(void)command;
	str_printf(s, " --%s", option->name);
}

static void add_bash_choices(struct str *s)
{
	const struct coffer_setting *setting = NULL;
	for (size_t i = 0; (setting = coffer_setting_at(i)); i++) {
		if (!setting->option || !setting->choices)
			continue;
		str_printf(s, "\t--%s) COMPREPLY=($(compgen -W '", setting->option);
		add_choices(s, setting->choices);
		str_add(s, "' -- \"$word\")); return ;;\n");
	}
}

static void add_bash_groups(struct str *s)
{
	for (const struct command *command = commands; command->name; command++) {
		if (!opens_group(command))
			continue;
		str_printf(s, "\tif [[ $command == %.*s ]]; then\n\t\tif ((COMP_CWORD == 2)); then\n\t\t\tCOMPREPLY=($(compgen -W '",
		           (int)strcspn(command->name, " "), command->name);
		add_second_words(s, command, " ");
		str_add(s, "' -- \"$word\"))\n\t\t\treturn\n\t\tfi\n\t\tcommand=\"$command ${COMP_WORDS[2]}\"\n\tfi\n");
	}
}

static void add_bash(struct str *s)
{
	str_add(s, "# bash completion for coffer, printed by `coffer completion bash`\n"
	           "_coffer() {\n"
	           "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} i\n"
	           "\tif ((COMP_CWORD == 1)); then\n\t\tCOMPREPLY=($(compgen -W '");
	add_first_words(s, " ");
	str_add(s, "' -- \"$word\"))\n\t\treturn\n\tfi\n");
	add_bash_groups(s);
	str_add(s, "\tcase $before in\n\t--profile|-p) COMPREPLY=($(compgen -W '");
	add_profiles(s);
	str_add(s, "' -- \"$word\")); return ;;\n"
	           "\t--settings|-s|--write|-w|--allow-*|--deny-*|--workspace*) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n");
	add_bash_choices(s);
	str_add(s, "\tesac\n"
	           "\tif [[ $command == run || $command == explain ]]; then\n"
	           "\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	           "\t\t\tif [[ ${COMP_WORDS[i]} == -- ]]; then\n"
	           "\t\t\t\t((i + 1 == COMP_CWORD)) && COMPREPLY=($(compgen -c -- \"$word\")) || COMPREPLY=($(compgen -f -- \"$word\"))\n"
	           "\t\t\t\treturn\n\t\t\tfi\n\t\tdone\n\tfi\n"
	           "\tcase $command in\n");
	for (const struct command *command = commands; command->name; command++) {
		str_printf(s, "\t'%s') COMPREPLY=($(compgen -W '", command->name);
		each_option(command, s, add_bash_option);
		str_add(s, command->on == ON_COMPLETION ? " bash zsh fish" : "");
		if (command->on == ON_HELP) {
			str_add_char(s, ' ');
			add_first_words(s, " ");
		}
		str_add(s, "' -- \"$word\")) ;;\n");
	}
	str_add(s, "\tesac\n}\ncomplete -o default -F _coffer coffer\n");
}

/* ---- zsh ---- */

/* In an _arguments specification within single quotes. */
static void add_zsh_text(struct str *s, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			str_add(s, "'\\'");
		else if (strchr("[]:\\", *text))
			str_add_char(s, '\\');
		str_add_char(s, *text);
	}
}

static void add_zsh_option(struct str *s, const struct command *command, const struct option *option)
{
	(void)command;
	str_printf(s, "\t\t\t'*--%s%s[", option->name, option->argument ? "=" : "");
	add_zsh_text(s, option->sentence);
	str_add_char(s, ']');
	if (option->argument)
		str_printf(s, ":%s:_files", option->argument);
	str_add(s, "' \\\n");
}

/* NAME:SUMMARY of each command of a group, or of all first words. */
static void add_zsh_names(struct str *s, const struct command *group)
{
	for (const struct command *command = group ? group : commands; command->name; command++) {
		if (group ? !second_word(command) || (command != group && opens_group(command))
		          : second_word(command) && !opens_group(command)) {
			if (group)
				return;
			continue;
		}
		str_add(s, "\t\t'");
		str_add(s, group ? second_word(command) : "");
		if (!group)
			str_add_n(s, command->name, strcspn(command->name, " "));
		str_add_char(s, ':');
		add_zsh_text(s, !group && second_word(command) ? "sandboxes that stay" : command->summary);
		str_add(s, "'\n");
	}
}

static void add_zsh_groups(struct str *s)
{
	for (const struct command *command = commands; command->name; command++) {
		if (!opens_group(command))
			continue;
		str_printf(s, "\tif [[ $command == %.*s ]]; then\n\tnames=(\n", (int)strcspn(command->name, " "), command->name);
		add_zsh_names(s, command);
		str_add(s, "\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command names\n\t\treturn\n\tfi\n"
		           "\tcommand=\"$command $words[2]\"\n\tshift words\n\t(( CURRENT-- ))\n\tfi\n");
	}
}

static void add_zsh(struct str *s)
{
	str_add(s, "#compdef coffer\n# zsh completion for coffer, printed by `coffer completion zsh`\n"
	           "_coffer() {\n\tlocal -a names\n\tnames=(\n");
	add_zsh_names(s, NULL);
	str_add(s, "\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command names\n\t\treturn\n\tfi\n"
	           "\tlocal command=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n");
	add_zsh_groups(s);
	str_add(s, "\tcase $command in\n");
	for (const struct command *command = commands; command->name; command++) {
		str_printf(s, "\t'%s')\n\t\t_arguments -s \\\n", command->name);
		each_option(command, s, add_zsh_option);
		str_add(s, command->takes_command ? "\t\t\t'*::command:_normal' ;;\n" : "\t\t\t'*:word:' ;;\n");
	}
	str_add(s, "\tesac\n}\n_coffer \"$@\"\n");
}

/* ---- fish ---- */

static void add_fish_text(struct str *s, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			str_add_char(s, '\\');
		str_add_char(s, *text);
	}
}

/* Each of its words has been typed. */
static void add_fish_condition(struct str *s, const struct command *command)
{
	const char *second = second_word(command);
	str_printf(s, "complete -c coffer -n '__fish_seen_subcommand_from %.*s", (int)strcspn(command->name, " "), command->name);
	if (second)
		str_printf(s, "; and __fish_seen_subcommand_from %s", second);
	str_add_char(s, '\'');
}

static void add_fish_name(struct str *s, const struct command *command)
{
	size_t n = strcspn(command->name, " ");
	if (!second_word(command) || opens_group(command)) {
		str_printf(s, "complete -c coffer -f -n '__fish_use_subcommand' -a %.*s -d '", (int)n, command->name);
		add_fish_text(s, second_word(command) ? "sandboxes that stay" : command->summary);
		str_add(s, "'\n");
	}
	if (!second_word(command))
		return;
	str_printf(s, "complete -c coffer -f -n '__fish_seen_subcommand_from %.*s' -a %s -d '", (int)n, command->name,
	           second_word(command));
	add_fish_text(s, command->summary);
	str_add(s, "'\n");
}

static void add_fish_option(struct str *s, const struct command *command, const struct option *option)
{
	add_fish_condition(s, command);
	str_printf(s, " -l %s", option->name);
	if (option->letter)
		str_printf(s, " -s %c", option->letter);
	str_printf(s, "%s -d '", option->argument ? " -r" : "");
	add_fish_text(s, option->sentence);
	str_add(s, "'\n");
}

static void add_fish(struct str *s)
{
	str_add(s, "# fish completion for coffer, printed by `coffer completion fish`\n");
	for (const struct command *command = commands; command->name; command++) {
		add_fish_name(s, command);
		each_option(command, s, add_fish_option);
	}
	str_add(s, "complete -c coffer -n '__fish_seen_subcommand_from run explain' -xa '(__fish_complete_subcommand)'\n");
}

static const struct {
	const char *shell;
	void (*add)(struct str *s);
} scripts[] = { { "bash", add_bash }, { "zsh", add_zsh }, { "fish", add_fish } };

int command_completion(const struct options *options)
{
	const char *shell = options->argv[0];
	autostr struct str s = { 0 };
	str_init(&s, SCRIPT_MAX);
	for (size_t i = 0; shell && i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (strcmp(shell, scripts[i].shell) == 0)
			scripts[i].add(&s);
	if (s.len == 0) {
		say("completion: name a shell: coffer completion bash, zsh or fish");
		return EXIT_FAILED;
	}
	return fd_write_all(STDOUT_FILENO, s.text, s.len) < 0 ? EXIT_FAILED : EXIT_FINE;
}
