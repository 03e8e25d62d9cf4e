#include "cli/verify.h"

#include "cli/say.h"

#include <string.h>
#include <unistd.h>

enum { SOURCE_SHOWN = 160 };

/* ---- for people ---- */

static enum say_tone tone_of(enum verify_level level)
{
	return level == LEVEL_ERROR ? SAY_BAD : level == LEVEL_WARNING ? SAY_DOUBTFUL : SAY_STRONG;
}

/* The line that a finding begins in, as much of it as is shown: what is before it is left out when it is far to the right. */
static void find_source(const struct verify_file *file, const struct verify_finding *finding, size_t *ret_from, size_t *ret_to)
{
	size_t from = finding->start, to = finding->start;

	while (from > 0 && file->text[from - 1] != '\n' && finding->start - from < SOURCE_SHOWN / 2)
		from--;
	while (to < file->n && file->text[to] != '\n' && to - from < SOURCE_SHOWN)
		to++;
	*ret_from = from;
	*ret_to = to;
}

/* How many columns the escaped form of these bytes has: one for each character that is not a continuation. */
static size_t width_of(const struct str *shown)
{
	size_t n = 0;

	for (size_t i = 0; i < shown->len; i++)
		n += ((unsigned char)shown->text[i] & 0xc0) != 0x80;
	return n;
}

static size_t shown_width(const struct verify_file *file, size_t from, size_t to)
{
	autostr struct str shown = { 0 };

	str_init(&shown, SOURCE_SHOWN * 8);
	str_add_escaped(&shown, file->text + from, to - from);
	return width_of(&shown);
}

static void add_source(const struct verify_file *file, const struct verify_finding *finding, struct str *out)
{
	size_t from, to, end, before, width;

	find_source(file, finding, &from, &to);
	end = finding->end < to ? finding->end : to;
	before = shown_width(file, from, finding->start);
	width = end > finding->start ? shown_width(file, finding->start, end) : 1;
	str_printf(out, "%6zu | ", finding->line);
	str_add_escaped(out, file->text + from, to - from);
	str_printf(out, "\n       | %*s%s", (int)before, "", say_tone(STDOUT_FILENO, tone_of(finding->level)));
	for (size_t i = 0; i < width; i++)
		str_add_char(out, '^');
	str_printf(out, "%s\n", say_tone(STDOUT_FILENO, SAY_PLAIN));
}

static void add_finding(const struct verify_file *file, const struct verify_finding *finding, struct str *out)
{
	str_add(out, say_tone(STDOUT_FILENO, SAY_STRONG));
	str_add_escaped(out, file->name, strlen(file->name));
	str_printf(out, ":%zu:%zu:%s %s%s:%s ", finding->line, finding->column, say_tone(STDOUT_FILENO, SAY_PLAIN),
	           say_tone(STDOUT_FILENO, tone_of(finding->level)), verify_level_name(finding->level), say_tone(STDOUT_FILENO, SAY_PLAIN));
	str_add_escaped(out, finding->message, strlen(finding->message));
	str_add(out, " [");
	str_add_escaped(out, finding->rule, strlen(finding->rule));
	str_add(out, "]\n");
	add_source(file, finding, out);
	str_add(out, "  why: ");
	str_add_escaped(out, finding->why, strlen(finding->why));
	str_add(out, "\n  to allow: coffer verify --allow ");
	str_add_escaped(out, finding->rule, strlen(finding->rule));
	str_add(out, "\n\n");
}

void verify_print_human(const struct verify_work *work, struct str *out)
{
	size_t n = 0, files = 0;

	for (size_t i = 0; i < work->files.n; i++) {
		const struct verify_file *file = &work->files.at[i];
		files += file->findings.n > 0;
		n += file->findings.n;
		for (size_t k = 0; k < file->findings.n; k++)
			add_finding(file, &file->findings.at[k], out);
	}
	if (n == 0)
		str_printf(out, "%zu program%s: nothing to report\n", work->files.n, work->files.n == 1 ? "" : "s");
	else
		str_printf(out, "%zu finding%s in %zu of %zu program%s\n", n, n == 1 ? "" : "s", files, work->files.n,
		           work->files.n == 1 ? "" : "s");
}

/* ---- JSON ---- */

static void add_text(struct str *out, const char *name, const char *text)
{
	str_printf(out, "\"%s\":", name);
	str_add_json(out, text, strlen(text));
}

static void add_json(const struct verify_file *file, const struct verify_finding *finding, struct str *out)
{
	size_t from, to;

	find_source(file, finding, &from, &to);
	str_add_char(out, '{');
	add_text(out, "rule", finding->rule);
	str_printf(out, ",\"severity\":\"%s\",\"line\":%zu,\"column\":%zu,\"start\":%zu,\"end\":%zu,", verify_level_name(finding->level),
	           finding->line, finding->column, finding->start, finding->end);
	add_text(out, "message", finding->message);
	str_add(out, ",\"source\":");
	str_add_json(out, file->text + from, to - from);
	str_add_char(out, ',');
	add_text(out, "why", finding->why);
	str_add(out, ",\"allow\":[\"--allow\",");
	str_add_json(out, finding->rule, strlen(finding->rule));
	str_add(out, "]}");
}

void verify_print_json(const struct verify_work *work, struct str *out)
{
	size_t n = 0;

	str_add(out, "{\"files\":[");
	for (size_t i = 0; i < work->files.n; i++) {
		const struct verify_file *file = &work->files.at[i];
		str_add(out, i ? ",{" : "{");
		add_text(out, "file", file->name);
		str_add_char(out, ',');
		add_text(out, "language", file->language);
		str_printf(out, ",\"truncated\":%s,\"findings\":[",
		           json_is_true(json_object_get(file->answer, "truncated")) ? "true" : "false");
		for (size_t k = 0; k < file->findings.n; k++) {
			str_add(out, k ? "," : "");
			add_json(file, &file->findings.at[k], out);
		}
		str_add(out, "]}");
		n += file->findings.n;
	}
	str_printf(out, "],\"findings\":%zu}\n", n);
}

/* ---- SARIF 2.1.0 ---- */

static void add_result(const struct verify_file *file, const struct verify_finding *finding, struct str *out)
{
	str_add_char(out, '{');
	add_text(out, "ruleId", finding->rule);
	str_printf(out, ",\"level\":\"%s\",\"message\":{", verify_level_name(finding->level));
	add_text(out, "text", finding->message);
	str_add(out, "},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{");
	add_text(out, "uri", strcmp(file->name, "-") == 0 ? "stdin" : file->name);
	str_printf(out, "},\"region\":{\"startLine\":%zu,\"startColumn\":%zu,\"byteOffset\":%zu,\"byteLength\":%zu}}}]}", finding->line,
	           finding->column, finding->start, finding->end > finding->start ? finding->end - finding->start : 0);
}

static bool was_told(const struct verify_work *work, size_t file, size_t finding)
{
	const char *rule = work->files.at[file].findings.at[finding].rule;

	for (size_t i = 0; i <= file; i++)
		for (size_t k = 0; k < work->files.at[i].findings.n && (i < file || k < finding); k++)
			if (strcmp(work->files.at[i].findings.at[k].rule, rule) == 0)
				return true;
	return false;
}

static void add_rules(const struct verify_work *work, struct str *out)
{
	const char *comma = "";

	for (size_t i = 0; i < work->files.n; i++) {
		const struct verify_file *file = &work->files.at[i];
		for (size_t k = 0; k < file->findings.n; k++) {
			if (was_told(work, i, k))
				continue;
			str_printf(out, "%s{", comma);
			add_text(out, "id", file->findings.at[k].rule);
			str_add(out, ",\"shortDescription\":{");
			add_text(out, "text", file->findings.at[k].why);
			str_add(out, "}}");
			comma = ",";
		}
	}
}

void verify_print_sarif(const struct verify_work *work, struct str *out)
{
	const char *comma = "";

	str_printf(
	    out,
	    "{\"version\":\"2.1.0\",\"runs\":[{\"columnKind\":\"unicodeCodePoints\",\"tool\":{\"driver\":{\"name\":\"coffer verify\",\"version\":\"%s\",\"rules\":[",
	    coffer_version());
	add_rules(work, out);
	str_add(out, "]}},\"results\":[");
	for (size_t i = 0; i < work->files.n; i++) {
		for (size_t k = 0; k < work->files.at[i].findings.n; k++) {
			str_add(out, comma);
			add_result(&work->files.at[i], &work->files.at[i].findings.at[k], out);
			comma = ",";
		}
	}
	str_add(out, "]}]}\n");
}
