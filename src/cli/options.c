#include "cli/options.h"

#include "base/nearest.h"
#include "cli/command.h"
#include "cli/say.h"

#include <errno.h>
#include <string.h>

const struct option option_table[OPTIONS_END] = {
#define OPTION(id, letter, name, argument, commands, sentence) [OPTION_##id] = { letter, name, argument, commands, sentence },
#include "cli/opts.def"
#undef OPTION
};

/* An argument vector while it is read. */
struct reader {
	const struct command *command;
	const char *const *next;
	struct arena *arena;
	struct options options;
	unsigned mistakes;
};

/* One option as it was found: in one of the two tables. */
struct found {
	const struct option *option;
	const struct coffer_setting *setting;
	bool negated; /* --no-NAME of a setting that is true or false */
};

const char *options_argument(const struct coffer_setting *setting)
{
	static const char *const arguments[] = {
		[COFFER_SETTING_BOOL] = NULL,
		[COFFER_SETTING_CHOICE] = "WORD",
		[COFFER_SETTING_TEXT] = "TEXT",
		[COFFER_SETTING_COUNT] = "N",
		[COFFER_SETTING_SIZE] = "SIZE",
		[COFFER_SETTING_DURATION] = "TIME",
		[COFFER_SETTING_SHARE] = "CPUS",
		[COFFER_SETTING_PATH] = "PATH",
		[COFFER_SETTING_PATHS] = "PATH",
		[COFFER_SETTING_NAMES] = "NAME",
		[COFFER_SETTING_VARIABLES] = "NAME[=VALUE]",
	};
	return setting->choices ? setting->choices : arguments[setting->kind];
}

bool options_take_settings(const struct command *command)
{
	return command->on & (ON_RUN | ON_TRY | ON_EXPLAIN | ON_SESSION_CREATE | ON_RACE | ON_CODE);
}

static bool is_named(const char *name, const char *text, size_t n)
{
	return name && strlen(name) == n && memcmp(name, text, n) == 0;
}

static const struct option *find_option(const struct command *command, const char *text, size_t n)
{
	for (size_t i = 0; i < OPTIONS_END; i++)
		if ((option_table[i].commands & command->on) && is_named(option_table[i].name, text, n))
			return &option_table[i];
	return NULL;
}

static const struct option *find_letter(const struct command *command, char letter)
{
	for (size_t i = 0; i < OPTIONS_END; i++)
		if ((option_table[i].commands & command->on) && option_table[i].letter == letter)
			return &option_table[i];
	return NULL;
}

static const struct coffer_setting *find_setting(const struct command *command, const char *text, size_t n)
{
	const struct coffer_setting *setting = NULL;
	if (!options_take_settings(command))
		return NULL;
	for (size_t i = 0; (setting = coffer_setting_at(i)); i++)
		if (is_named(setting->option, text, n) || is_named(setting->alias, text, n))
			return setting;
	return NULL;
}

static struct found find(const struct command *command, const char *text, size_t n)
{
	struct found found = { .option = find_option(command, text, n) };
	if (!found.option)
		found.setting = find_setting(command, text, n);
	if (!found.option && !found.setting && n > 3 && memcmp(text, "no-", 3) == 0) {
		found.setting = find_setting(command, text + 3, n - 3);
		found.negated = found.setting;
		if (found.setting && found.setting->kind != COFFER_SETTING_BOOL)
			found.setting = NULL;
	}
	return found;
}

static const char *argument_of(const struct found *found)
{
	return found->option ? found->option->argument : options_argument(found->setting);
}

static void mistake(struct reader *reader)
{
	reader->mistakes++;
}

static void say_unknown(struct reader *reader, const char *text, size_t n)
{
	const struct coffer_setting *setting = NULL;
	const char *wanted = arena_dup_n(reader->arena, text, n);
	struct nearest nearest = { .wanted = wanted ? wanted : "" };
	for (size_t i = 0; i < OPTIONS_END; i++)
		if (option_table[i].commands & reader->command->on)
			nearest_try(&nearest, option_table[i].name);
	for (size_t i = 0; options_take_settings(reader->command) && (setting = coffer_setting_at(i)); i++)
		if (setting->option)
			nearest_try(&nearest, setting->option);
	mistake(reader);
	/* So that its value is not taken for the command, and what follows is looked at too. */
	struct found meant = nearest.word ? find(reader->command, nearest.word, strlen(nearest.word)) : (struct found){ 0 };
	if (nearest.word && argument_of(&meant) && text[n] != '=' && *reader->next)
		reader->next++;
	if (nearest.word)
		say("%s: unknown option --%s; did you mean --%s?", reader->command->name, nearest.wanted, nearest.word);
	else
		say("%s: unknown option --%s; `coffer %s --help` lists them", reader->command->name, nearest.wanted, reader->command->name);
}

static void keep_option(struct reader *reader, const struct option *option, const char *value)
{
	size_t id = (size_t)(option - option_table);
	reader->options.given[id] = true;
	reader->options.value[id] = value;
	struct text_vec *const lists[OPTIONS_END] = { [OPTION_SETTINGS] = &reader->options.files, [OPTION_ENV] = &reader->options.variables,
		                                      [OPTION_LABEL] = &reader->options.labels,   [OPTION_ALLOW] = &reader->options.allowed,
		                                      [OPTION_HUNK] = &reader->options.hunks,     [OPTION_BESIDE] = &reader->options.beside,
		                                      [OPTION_PERMIT] = &reader->options.allowed };
	struct text_vec *list = lists[id];
	const char **slot = list ? text_vec_add(list, reader->arena) : NULL;
	if (slot)
		*slot = value;
}

static void keep_setting(struct reader *reader, const struct coffer_setting *setting, const char *value, const char *why)
{
	struct option_setting *entry = option_setting_vec_add(&reader->options.settings, reader->arena);
	if (!entry) {
		say("too many options");
		mistake(reader);
		return;
	}
	*entry = (struct option_setting){ .setting = setting, .value = value, .why = why };
}

static void keep(struct reader *reader, const struct found *found, const char *name, const char *value)
{
	if (found->option) {
		keep_option(reader, found->option, value);
		return;
	}
	if (found->setting->kind == COFFER_SETTING_BOOL && !value)
		value = found->negated ? "false" : "true";
	keep_setting(reader, found->setting, value, name);
}

/* An argument stands behind '=' or in the next word. `name` is for messages: "--memory", "-w". */
static void take(struct reader *reader, const struct found *found, const char *name, const char *value)
{
	const char *argument = argument_of(found);
	bool may_have_value = argument || (found->setting && !found->negated);
	if (argument && !value)
		value = *reader->next ? *reader->next++ : NULL;
	if (argument && !value) {
		say("%s: %s needs a value: %s %s", reader->command->name, name, name, argument);
		mistake(reader);
	} else if (value && !may_have_value) {
		say("%s: %s takes no value", reader->command->name, name);
		mistake(reader);
	} else {
		keep(reader, found, name, value);
	}
}

static void read_long(struct reader *reader, const char *word)
{
	const char *text = word + 2;
	size_t n = strcspn(text, "=");
	struct found found = find(reader->command, text, n);
	const char *name = arena_dup_n(reader->arena, word, n + 2);
	if (!found.option && !found.setting)
		say_unknown(reader, text, n);
	else
		take(reader, &found, name ? name : word, text[n] == '=' ? text + n + 1 : NULL);
}

/* -qv, -w PATH, -wPATH */
static void read_letters(struct reader *reader, const char *letters)
{
	for (; *letters; letters++) {
		struct found found = { .option = find_letter(reader->command, *letters) };
		char name[] = { '-', *letters, '\0' };
		if (!found.option) {
			say("%s: unknown option %s; `coffer %s --help` lists them", reader->command->name, name, reader->command->name);
			mistake(reader);
			return;
		}
		bool rest = found.option->argument && letters[1];
		take(reader, &found, name, rest ? letters + 1 : NULL);
		if (found.option->argument)
			return;
	}
}

static void read_word(struct reader *reader, const char *word)
{
	const char **slot = text_vec_add(&reader->options.words, reader->arena);
	if (slot)
		*slot = word;
	else
		mistake(reader);
}

static void read_rest(struct reader *reader)
{
	while (*reader->next)
		read_word(reader, *reader->next++);
}

static void read_all(struct reader *reader)
{
	while (*reader->next) {
		const char *word = *reader->next++;
		if (strcmp(word, "--") == 0) {
			read_rest(reader);
		} else if (strncmp(word, "--", 2) == 0) {
			read_long(reader, word);
		} else if (word[0] == '-' && word[1]) {
			read_letters(reader, word + 1);
		} else {
			read_word(reader, word);
			if (reader->command->takes_command)
				read_rest(reader);
		}
	}
}

/* With a NULL behind what counts. */
static int end_list(struct text_vec *list, struct arena *arena)
{
	const char **end = text_vec_add(list, arena);
	if (!end)
		return -ENOMEM;
	*end = NULL;
	list->n--;
	return 0;
}

int options_parse(const struct command *command, const char *const *argv, struct arena *arena, struct options *ret_options)
{
	struct reader reader = { .command = command, .next = argv, .arena = arena, .options.command = command };
	read_all(&reader);
	if (end_list(&reader.options.words, arena) < 0 || end_list(&reader.options.variables, arena) < 0 ||
	    end_list(&reader.options.allowed, arena) < 0 || end_list(&reader.options.hunks, arena) < 0 || reader.mistakes)
		return -EINVAL;
	reader.options.argv = reader.options.words.at;
	*ret_options = reader.options;
	return 0;
}
