#include "base/nearest.h"
#include "cli/command.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <string.h>
#include <unistd.h>

enum { HELP_MAX = 128 << 10, OPTION_COLUMN = 34, TEXT_COLUMNS = 100 };

/* A heading, then what stands below it. */
static void add_heading(struct str *s, const char *heading)
{
	str_printf(s, "\n%s%s%s\n", say_tone(STDOUT_FILENO, SAY_STRONG), heading, say_tone(STDOUT_FILENO, SAY_PLAIN));
}

/* Prose, broken between words, behind a column. */
static void add_wrapped(struct str *s, size_t at, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " ");
		if (at > OPTION_COLUMN && at + 1 + n > TEXT_COLUMNS) {
			str_printf(s, "\n%*s", OPTION_COLUMN, "");
			at = OPTION_COLUMN;
		} else if (at > OPTION_COLUMN) {
			str_add_char(s, ' ');
			at++;
		}
		str_add_n(s, text, n);
		at += n;
		text += n + (text[n] == ' ');
	}
	str_add_char(s, '\n');
}

/* One option: its names, its argument, and what it does. */
static void add_option(struct str *s, char letter, const char *name, const char *argument, const char *sentence)
{
	char start[] = "      --";
	size_t before = s->len;
	if (letter) {
		start[2] = '-';
		start[3] = letter;
		start[4] = ',';
	}
	str_printf(s, "%s%s%s%s", start, name, argument ? " " : "", argument ? argument : "");
	size_t width = s->len - before;
	if (width + 2 > OPTION_COLUMN) {
		str_add_char(s, '\n');
		width = 0;
	}
	str_printf(s, "%*s", (int)(OPTION_COLUMN - width), "");
	add_wrapped(s, OPTION_COLUMN, sentence);
}

static void add_options(struct str *s, const struct command *command)
{
	add_heading(s, "Options");
	for (size_t i = 0; i < OPTIONS_END; i++)
		if (option_table[i].commands & command->on)
			add_option(s, option_table[i].letter, option_table[i].name, option_table[i].argument, option_table[i].sentence);
}

/* The value in the default policy as people write it: JSON without the quotes. Nothing for what is empty. */
static void add_initial(struct str *s, const struct coffer_policy *initial, const struct coffer_setting *setting)
{
	char *text = NULL;
	if (!initial || coffer_policy_get(initial, setting->pointer, &text, NULL) < 0)
		return;
	size_t n = strlen(text);
	bool quoted = n > 1 && *text == '"';
	if (n > 0 && strcmp(text, "null") != 0 && strcmp(text, "[]") != 0 && strcmp(text, "{}") != 0) {
		str_add(s, " (default: ");
		str_add_n(s, text + quoted, n - 2 * quoted);
		str_add_char(s, ')');
	}
	coffer_text_free(text);
}

static void add_settings(struct str *s)
{
	const struct coffer_setting *setting = NULL;
	struct coffer_policy *initial = NULL;
	(void)coffer_policy_new(&initial, NULL);
	add_heading(s, "Settings, as in coffer-settings(5); --no-NAME turns one off that is true or false");
	for (size_t i = 0; (setting = coffer_setting_at(i)); i++) {
		autostr struct str sentence = { 0 };
		str_init(&sentence, HELP_MAX);
		str_add(&sentence, setting->sentence);
		add_initial(&sentence, initial, setting);
		if (setting->option)
			add_option(s, 0, setting->alias ? setting->alias : setting->option, options_argument(setting), sentence.text);
	}
	coffer_policy_free(initial);
}

static void add_profiles(struct str *s)
{
	add_heading(s, "Profiles");
	for (size_t i = 0; coffer_profile_at(i); i++)
		str_printf(s, "  %-12s %s\n", coffer_profile_at(i), coffer_profile_sentence(i));
}

static void add_exit_statuses(struct str *s)
{
	add_heading(s, "Exit status");
	str_add(s, "  the command's own; 128+n: ended by signal n; 124: limits.timeout; 125: coffer failed and ran nothing;\n"
	           "  126: the command cannot be executed; 127: it does not exist in the sandbox\n");
}

static void add_command(struct str *s, const struct command *command)
{
	str_printf(s, "coffer %s: %s\n", command->name, command->summary);
	add_heading(s, "Examples");
	str_add(s, command->examples);
	add_heading(s, "Usage");
	str_printf(s, "  coffer %s%s%s\n", command->name, *command->arguments ? " " : "", command->arguments);
	add_options(s, command);
	if (options_take_settings(command)) {
		add_settings(s);
		add_profiles(s);
	}
	if (command->on == ON_RUN)
		add_exit_statuses(s);
}

static void add_overview(struct str *s)
{
	str_add(s, "coffer runs code that nobody has read: at full speed, with the files and hosts that you say, and no others.\n");
	add_heading(s, "Examples");
	str_add(s, "  coffer run -- python3 main.py              no network, nothing written, secrets out of sight\n"
	           "  coffer run --write . -- npm test           the working directory may be written\n"
	           "  coffer explain --write . -- npm test       what that means, step by step\n"
	           "  coffer why                                 what the last run was refused, and what would allow it\n");
	add_heading(s, "Commands");
	for (const struct command *command = commands; command->name; command++)
		str_printf(s, "  %-12s %s\n", command->name, command->summary);
	str_add(
	    s,
	    "\n`coffer COMMAND --help` tells more; the manual is coffer(1), the settings are in coffer-settings(5),\nand `coffer help schema` is their JSON Schema.\n");
}

void help_print(const struct command *command)
{
	autostr struct str s = { 0 };
	str_init(&s, HELP_MAX);
	if (command)
		add_command(&s, command);
	else
		add_overview(&s);
	(void)fd_write_all(STDOUT_FILENO, s.text, s.len);
}

/* `coffer help schema`: for editors. */
static int print_schema(void)
{
	char *text = NULL;
	struct coffer_error error;
	int r = coffer_setting_schema(&text, &error);
	if (r < 0)
		say_error(&error);
	else
		r = fd_write_all(STDOUT_FILENO, text, strlen(text));
	coffer_text_free(text);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}

int command_help(const struct options *options)
{
	const char *name = options->argv[0];
	if (name && strcmp(name, "schema") == 0)
		return print_schema();
	int words;
	const struct command *command = name ? command_find(name, options->argv[1], &words) : NULL;
	if (name && !command) {
		struct nearest nearest = { .wanted = name };
		for (const struct command *other = commands; other->name; other++)
			nearest_try(&nearest, other->name);
		say("there is no command \"%s\"%s%s", name, nearest.word ? "; did you mean: coffer help " : "",
		    nearest.word ? nearest.word : "");
		return EXIT_FAILED;
	}
	help_print(command);
	return EXIT_FINE;
}
