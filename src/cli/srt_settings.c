/*
 * The settings of srt, and what it says when they cannot be had. Its own words are reproduced, for people search for them; what is wrong with
 * a value is said in coffer's. A file that somebody named, or that is there, is never replaced by the defaults: they would not be a weaker form of
 * its rules but none of them. The Python port does replace it, having said what was wrong; its profile does as well.
 */
#include "cli/srt.h"

#include "base/own.h"
#include "base/str.h"
#include "sys/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAID_MAX = 64 << 10, LOOK_MAX = 64 << 10 };

/* What is lost with it. */
#define RULES_OF_FILE "this file's rules (its denyRead, allowRead and credential entries included)"
#define RULES_ASKED_FOR "the rules --settings asked for"

static int refuse(const struct srt_line *line, const char *reason, const char *lost)
{
	if (line->py) {
		fprintf(stderr, "%s\nUsing the default configuration\n", reason);
		return SRT_GOES_ON;
	}
	fprintf(stderr, "Error: %s\nRefusing to run with the built-in defaults, which would drop %s.\n", reason, lost);
	return SRT_FAILED;
}

static const char *errno_name(int errnum)
{
	static const struct {
		int errnum;
		const char *name;
	} names[] = {
		{ EACCES, "EACCES" }, { EISDIR, "EISDIR" }, { ENOTDIR, "ENOTDIR" }, { ELOOP, "ELOOP" }, { ENAMETOOLONG, "ENAMETOOLONG" },
		{ EPERM, "EPERM" },   { EIO, "EIO" }
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].errnum == errnum)
			return names[i].name;
	return strerror(errnum);
}

static bool is_blank(const char *path)
{
	autofree char *text = malloc(LOOK_MAX);
	ssize_t n = text ? file_read_at(AT_FDCWD, path, text, LOOK_MAX) : -ENOMEM;

	for (ssize_t i = 0; i < n; i++)
		if (!isspace((unsigned char)text[i]))
			return false;
	return n >= 0;
}

/* "s.json /network/allowedDomains/0" → "network.allowedDomains.0". NULL: not about a place in the document. */
static const char *place_in(struct srt_line *line, const struct coffer_error *problem, const char *path)
{
	size_t n = strlen(path);
	char *place;

	if (strncmp(problem->where, path, n) != 0 || problem->where[n] != ' ')
		return NULL;
	if (!problem->where[n + 1])
		return "(root)";
	place = arena_dup(&line->arena, problem->where + n + 2);
	for (char *c = place; c && *c; c++)
		if (*c == '/')
			*c = '.';
	return place;
}

static void add_problem(struct srt_line *line, struct str *out, const struct coffer_error *problem, const char *path)
{
	const char *place = place_in(line, problem, path);

	if (out->len)
		str_add(out, "; ");
	str_printf(out, "%s: %s", place ? place : "(root)", problem->text);
}

static int refuse_document(struct srt_line *line, const struct coffer_policy *policy, const struct coffer_error *error, const char *path)
{
	const struct coffer_error *first = coffer_policy_problem(policy, 0), *problem = first ? first : error;
	autostr struct str said = { 0 };

	if (!place_in(line, problem, path) && is_blank(path))
		return refuse(line, arena_printf(&line->arena, "%s is empty. Delete it, or put a config in it.", path), RULES_OF_FILE);
	if (!place_in(line, problem, path))
		return refuse(line, arena_printf(&line->arena, "%s is not valid JSON: %s", path, problem->text), RULES_OF_FILE);
	str_init(&said, SAID_MAX);
	for (size_t i = 0; problem; problem = coffer_policy_problem(policy, ++i))
		add_problem(line, &said, problem, path);
	return refuse(line, arena_printf(&line->arena, "%s does not hold a valid config — %s", path, said.text), RULES_OF_FILE);
}

static int refuse_file(struct srt_line *line, int errnum, const char *path)
{
	if (errnum == ENOENT)
		return refuse(line, arena_printf(&line->arena, "%s does not exist.", path), RULES_ASKED_FOR);
	return refuse(line, arena_printf(&line->arena, "%s could not be read (%s).", path, errno_name(errnum)), RULES_OF_FILE);
}

/* COFFER_SRT_SETTINGS is a document itself: for programs that make one a command, and would have to make files. */
static int read_variable(struct srt_line *line, struct coffer_policy *policy, const char *text)
{
	static const char name[] = "COFFER_SRT_SETTINGS";
	struct coffer_error error;

	if (coffer_policy_read(policy, text, strlen(text), name, &error) == 0)
		return SRT_GOES_ON;
	return refuse_document(line, policy, &error, name);
}

int srt_read_settings(struct srt_line *line, struct coffer_policy *policy)
{
	const char *text = getenv("COFFER_SRT_SETTINGS");

	bool named = line->settings && *line->settings;
	const char *home = getenv("HOME"), *path = line->settings;
	struct coffer_error error;

	if (!named && text && *text)
		return read_variable(line, policy, text);
	if (!named)
		path = arena_printf(&line->arena, "%s/.srt-settings.json", home ? home : "");
	if (!path)
		return refuse(line, strerror(ENOMEM), RULES_OF_FILE);
	if (coffer_policy_read_file(policy, path, &error) == 0) {
		srt_debug(line, "Settings: ", path);
		return SRT_GOES_ON;
	}
	if (error.code == COFFER_ERROR_NOTFOUND && !named) {
		srt_debug(line, "No settings file, using the default config", "");
		return SRT_GOES_ON;
	}
	if (error.code == COFFER_ERROR_NOTFOUND || error.code == COFFER_ERROR_DENIED)
		return refuse_file(line, error.errnum, path);
	return refuse_document(line, policy, &error, path);
}
