/*
 * options.h: the words behind a command's name, sorted by the tables.
 *
 * There is no parser of any one option: opts.def says what the command line knows, coffer_setting_at what a policy knows.
 * Options that are settings are kept in the order in which they stand, and applied in it.
 */
#ifndef COFFER_CLI_OPTIONS_H
#define COFFER_CLI_OPTIONS_H

#include "base/arena.h"
#include "base/vec.h"

#include <coffer.h>
#include <stdbool.h>

enum {
	ON_RUN = 1,
	ON_EXPLAIN = 2,
	ON_WHY = 4,
	ON_DOCTOR = 8,
	ON_GC = 16,
	ON_COMPLETION = 32,
	ON_VERSION = 64,
	ON_HELP = 128,
	ON_SESSION_CREATE = 256,
	ON_SESSION_EXEC = 512,
	ON_SESSION_LS = 1024,
	ON_SESSION_NAMED = 2048, /* those that do one thing to the sessions that are named */
	ON_TRY = 4096,
	ON_DIFF = 8192,
	ON_APPLY = 16384,
	ON_DISCARD = 32768,
	ON_SESSION_FORK = 65536,
	ON_SESSION_CHECKPOINT = 131072,
	ON_SESSION_CHECKOUT = 262144,
	ON_SESSION_LOG = 524288,
	ON_CHANNEL = 1048576,
	ON_RACE = 2097152,
	ON_SESSION_BISECT = 4194304,
	ON_SESSION_START = 8388608,
	ON_SESSION_ATTACH = 16777216,
	ON_SESSION_FILES = 33554432, /* cp, cat */
	ON_SESSION_WRITE = 67108864,
	ON_SNAPSHOT = 134217728,
	ON_CODE = 268435456,
	ON_VERIFY = 536870912,
	ON_ALL = 1073741823
};

enum option_id {
#define OPTION(id, letter, name, argument, commands, sentence) OPTION_##id,
#include "cli/opts.def"
#undef OPTION
	OPTIONS_END
};

struct option {
	char letter; /* 0: none */
	const char *name, *argument;
	unsigned commands;
	const char *sentence;
};
extern const struct option option_table[OPTIONS_END];

/* --memory 512M */
struct option_setting {
	const struct coffer_setting *setting;
	const char *value;
	const char *why; /* "--memory" */
};
VEC(struct option_setting, option_setting_vec)

struct command;

struct options {
	const struct command *command;
	bool given[OPTIONS_END];
	const char *value[OPTIONS_END];                            /* of the last time */
	struct text_vec files;                                     /* --settings, each */
	struct text_vec variables, labels, allowed, hunks, beside; /* --env, --label, --allow, --hunk, --file, each */
	struct option_setting_vec settings;
	struct text_vec words;   /* what is no option */
	const char *const *argv; /* the same, NULL-terminated */
};

/*
 * Sorts argv (NULL-terminated, behind the command's name). What is wrong is said on standard error, each mistake on a line of
 * its own. Returns 0, or -EINVAL after having spoken.
 */
int options_parse(const struct command *command, const char *const *argv, struct arena *arena, struct options *ret_options);

/* What an option for a setting takes: "SIZE"; NULL for one that is true or false. */
const char *options_argument(const struct coffer_setting *setting);

/* Do settings count as options of this command? */
bool options_take_settings(const struct command *command);

#endif
