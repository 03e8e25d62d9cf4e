#include "cli/verify.h"

#include "base/own.h"
#include "cli/command.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, REPORT_MAX = 256 << 20, ARENA_MAX = 1 << 30, WORDS_MAX = 64 };

/* By what a file is called, and by its first line. */
static const struct {
	const char *name, *suffixes, *interpreters;
} languages[] = {
	{ "python", " py pyi pyw ", "python" },
};

static const char *const levels[] = { "note", "warning", "error" };

const char *verify_level_name(enum verify_level level)
{
	return levels[level];
}

/* ---- the programs ---- */

static int read_text(int fd, struct verify_file *file)
{
	ssize_t got = 1;

	file->text = malloc(FILE_MAX + 1);
	while (file->text && got != 0 && file->n <= FILE_MAX) {
		got = read(fd, file->text + file->n, FILE_MAX + 1 - file->n);
		if (got < 0 && errno != EINTR)
			return -errno;
		file->n += got > 0 ? (size_t)got : 0;
	}
	if (!file->text)
		return -ENOMEM;
	return file->n > FILE_MAX ? -EFBIG : 0;
}

static const char *language_of(const struct verify_file *file)
{
	const char *slash = strrchr(file->name, '/'), *dot = strrchr(slash ? slash : file->name, '.');
	const char *newline = memchr(file->text, '\n', file->n);
	size_t first = file->n > 2 && memcmp(file->text, "#!", 2) == 0 ? (size_t)(newline ? newline - file->text : 0) : 0;
	char suffix[16];

	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		if (dot && (size_t)snprintf(suffix, sizeof(suffix), " %s ", dot + 1) < sizeof(suffix) &&
		    strstr(languages[i].suffixes, suffix))
			return languages[i].name;
		if (first && memmem(file->text, first, languages[i].interpreters, strlen(languages[i].interpreters)))
			return languages[i].name;
	}
	return NULL;
}

static bool is_language(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++)
		if (strcmp(languages[i].name, name) == 0)
			return true;
	return false;
}

static int read_file(const struct options *options, const char *name, struct verify_file *file)
{
	bool standard = strcmp(name, "-") == 0;
	autofd int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, FD_LOWEST) : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	file->name = name;
	r = fd < 0 ? -errno : read_text(fd, file);
	if (r == -EFBIG)
		say("verify: %s: more than 1 MiB; a program that long is not read", name);
	else if (r < 0)
		say("verify: %s: %s", name, strerror(-r));
	if (r < 0)
		return r;
	file->language = options->given[OPTION_GRAMMAR] ? options->value[OPTION_GRAMMAR] : language_of(file);
	if (file->language)
		return 0;
	say("verify: %s: neither its name nor its first line tells the language; --language says it", name);
	return -EINVAL;
}

/* Every file that cannot be read is told. */
static int read_files(const struct options *options, struct verify_work *work)
{
	int failed = 0;

	for (size_t i = 0; i < options->words.n; i++) {
		struct verify_file *file = verify_file_vec_add(&work->files, work->arena);
		int r = file ? read_file(options, options->words.at[i], file) : -ENOMEM;
		failed = failed ? failed : r;
	}
	return failed;
}

/* ---- what the words say ---- */

static int say_choice(const struct options *options, enum option_id id)
{
	say("verify: --%s takes %s, not \"%s\"", option_table[id].name, option_table[id].argument, options->value[id]);
	return -EINVAL;
}

static int take_level(const struct options *options, struct verify_work *work)
{
	const char *value = options->value[OPTION_SEVERITY];

	work->level = LEVEL_ERROR;
	for (unsigned i = 0; value && i < LEVELS_END; i++) {
		if (strcmp(value, levels[i]) != 0)
			continue;
		work->level = (enum verify_level)i;
		return 0;
	}
	return value ? say_choice(options, OPTION_SEVERITY) : 0;
}

static int take_mode(const struct options *options, struct verify_work *work)
{
	const char *value = options->value[OPTION_ANALYSIS];

	work->anvil = value && strcmp(value, "anvil") == 0;
	return value && !work->anvil && strcmp(value, "strict") != 0 ? say_choice(options, OPTION_ANALYSIS) : 0;
}

/* The words of coffer-verify; whether a rule is one, it knows. */
static int take_words(const struct options *options, struct verify_work *work)
{
	static const char *words[WORDS_MAX + 8];
	size_t n = 1;

	words[n++] = "--mode";
	words[n++] = work->anvil ? "anvil" : "strict";
	for (size_t i = 0; i < options->allowed.n && n < WORDS_MAX; i++) {
		words[n++] = "--allow";
		words[n++] = options->allowed.at[i];
	}
	for (unsigned i = 0; i < 2; i++) {
		enum option_id id = i ? OPTION_FUNCTIONS : OPTION_IMPORTS;
		if (!options->given[id])
			continue;
		words[n++] = i ? "--functions" : "--imports";
		words[n++] = options->value[id];
	}
	work->words = words;
	return 0;
}

static int take_options(const struct options *options, struct verify_work *work)
{
	const char *format = options->value[OPTION_FORMAT], *language = options->value[OPTION_GRAMMAR];
	int r = take_mode(options, work);

	if (r == 0)
		r = take_level(options, work);
	if (r == 0 && format && strcmp(format, "human") != 0 && strcmp(format, "json") != 0 && strcmp(format, "sarif") != 0)
		r = say_choice(options, OPTION_FORMAT);
	if (r == 0 && language && !is_language(language)) {
		say("verify: --language %s: not one of those that are read: python", language);
		r = -EINVAL;
	}
	if (r == 0 && options->words.n == 0) {
		say("verify: no program; `coffer verify FILE…`, or - for standard input");
		r = -EINVAL;
	}
	return r < 0 ? r : take_words(options, work);
}

/* ---- what was found ---- */

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static size_t number_at(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));
	return value > 0 ? (size_t)value : 0;
}

static void add_finding(struct verify_work *work, struct verify_file *file, const json_t *told)
{
	struct verify_finding *finding;
	const char *severity = text_at(told, "severity");
	enum verify_level level = LEVEL_ERROR;

	while (level > LEVEL_NOTE && strcmp(severity, levels[level]) != 0)
		level--;
	finding = level >= work->level ? verify_finding_vec_add(&file->findings, work->arena) : NULL;
	if (!finding)
		return;
	*finding = (struct verify_finding){
		.rule = text_at(told, "rule"),
		.message = text_at(told, "message"),
		.why = text_at(told, "why"),
		.level = level,
		.line = number_at(told, "line"),
		.column = number_at(told, "column"),
		.start = number_at(told, "start") < file->n ? number_at(told, "start") : file->n,
		.end = number_at(told, "end") < file->n ? number_at(told, "end") : file->n,
	};
}

/* One that is about the program as a whole, or a line of it. */
static void add_own(struct verify_work *work, struct verify_file *file, const struct verify_finding *own)
{
	struct verify_finding *finding = verify_finding_vec_add(&file->findings, work->arena);

	if (finding)
		*finding = *own;
}

static size_t start_of_line(const struct verify_file *file, size_t line)
{
	size_t at = 0;

	while (line > 1 && at < file->n)
		line -= file->text[at++] == '\n';
	return at;
}

static void add_syntax(struct verify_work *work, struct verify_file *file)
{
	struct verify_finding own = { .rule = "syntax",
		                      .message = arena_printf(work->arena, "Syntax error: %s", file->syntax),
		                      .why = "A program that does not parse cannot be judged",
		                      .level = LEVEL_ERROR,
		                      .line = file->syntax_line,
		                      .column = file->syntax_column ? file->syntax_column : 1,
		                      .start = start_of_line(file, file->syntax_line) };

	own.start = own.start + own.column - 1 < file->n ? own.start + own.column - 1 : file->n;
	own.end = own.start;
	if (own.message)
		add_own(work, file, &own);
}

static void add_failure(struct verify_work *work, struct verify_file *file, const char *why)
{
	struct verify_finding own = { .rule = "unreadable",
		                      .message = arena_printf(work->arena, "the analyser could not read this program: %s",
		                                              strcmp(why, "time") == 0     ? "it took too long"
		                                              : strcmp(why, "memory") == 0 ? "it took too much memory"
		                                                                           : "it ended unexpectedly"),
		                      .why = "What cannot be read is not passed",
		                      .level = LEVEL_ERROR,
		                      .line = 1,
		                      .column = 1 };

	if (own.message)
		add_own(work, file, &own);
}

/*
 * CPython has the last word about what parses: of a program that it refuses there is nothing else to say, and what the grammar alone did not understand is, if
 * CPython does, no mistake (the strict mode tells it as unreadable).
 */
static void judge_file(struct verify_work *work, struct verify_file *file)
{
	const json_t *told = json_object_get(file->answer, "findings"), *one;
	const char *failure = json_string_value(json_object_get(file->answer, "error"));
	bool alone = work->anvil && json_is_true(json_object_get(file->answer, "broken")) && !file->syntax;
	size_t i;

	if (file->syntax && *file->syntax) {
		add_syntax(work, file);
		return;
	}
	if (failure || !told)
		add_failure(work, file, failure ? failure : "");
	json_array_foreach (told, i, one) {
		bool syntax = strcmp(text_at(one, "rule"), "syntax") == 0;
		if (alone ? syntax : !(syntax && file->syntax))
			add_finding(work, file, one);
	}
}

static int tell(const struct options *options, struct verify_work *work)
{
	const char *format = options->value[OPTION_FORMAT] ? options->value[OPTION_FORMAT] : "human";
	autostr struct str out = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < work->files.n; i++) {
		judge_file(work, &work->files.at[i]);
		n += work->files.at[i].findings.n;
	}
	str_init(&out, REPORT_MAX);
	if (strcmp(format, "json") == 0)
		verify_print_json(work, &out);
	else if (strcmp(format, "sarif") == 0)
		verify_print_sarif(work, &out);
	else
		verify_print_human(work, &out);
	if (out.failed || fd_write_all(STDOUT_FILENO, out.text, out.len) < 0) {
		say("verify: the report cannot be written");
		return EXIT_FAILED;
	}
	return n > 0 ? EXIT_UNWELL : EXIT_FINE;
}

static int read_and_tell(const struct options *options, struct verify_work *work)
{
	struct coffer_error error;
	int r;

	if (take_options(options, work) < 0 || read_files(options, work) < 0)
		return EXIT_FAILED;
	r = coffer_new(&work->coffer, &error);
	if (r == 0)
		r = verify_read(work, &error);
	if (r == 0)
		r = verify_ask_python(work, &error);
	if (r < 0)
		say_error(&error);
	return r < 0 ? EXIT_FAILED : tell(options, work);
}

int command_verify(const struct options *options)
{
	struct arena arena;
	struct verify_work work = { .arena = &arena };
	int status;

	arena_init(&arena, ARENA_MAX);
	status = read_and_tell(options, &work);
	for (size_t i = 0; i < work.files.n; i++) {
		free(work.files.at[i].text);
		json_decref(work.files.at[i].answer);
	}
	coffer_free(work.coffer);
	arena_done(&arena);
	return status;
}
