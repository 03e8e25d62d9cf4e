#include "verify/verify.h"

#include <errno.h>
#include <string.h>

static const char *const needs[] = {
	[NEED_HOST] = "host",
	[NEED_NETWORK] = "network",
	[NEED_READ] = "read",
	[NEED_WRITE] = "write",
	[NEED_PROGRAM] = "program",
	[NEED_PROCESS] = "process",
	[NEED_ENVIRONMENT] = "environment",
	[NEED_NATIVE] = "native",
};

/* Where the lines of a text begin. */
struct lines {
	const char *text;
	size_t n;
	uint32_t *start;
};

static int find_lines(struct lines *lines, size_t n, struct arena *arena)
{
	const char *end = lines->text + n;

	lines->n = 1;
	for (const char *at = lines->text; n > 0 && (at = memchr(at, '\n', (size_t)(end - at))); at++)
		lines->n++;
	lines->start = arena_array(arena, lines->n, sizeof(*lines->start));
	if (!lines->start)
		return -ENOMEM;
	lines->n = 1;
	for (const char *at = lines->text; n > 0 && (at = memchr(at, '\n', (size_t)(end - at))); at++)
		lines->start[lines->n++] = (uint32_t)(at + 1 - lines->text);
	return 0;
}

static size_t line_of(const struct lines *lines, uint32_t at)
{
	size_t low = 0, high = lines->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (lines->start[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void add_range(const struct lines *lines, uint32_t start, uint32_t end, struct str *out)
{
	size_t line = line_of(lines, start);
	unsigned column = 1;

	for (uint32_t i = lines->start[line]; i < start; i++)
		column += ((unsigned char)lines->text[i] & 0xc0) != 0x80;
	str_printf(out, "\"line\":%zu,\"column\":%u,\"start\":%u,\"end\":%u", line + 1, column, start, end);
}

static void add_finding(const struct finding *finding, const struct lines *lines, struct str *out)
{
	const struct verify_rule_facts *rule = &verify_rules[finding->rule];

	str_printf(out, "{\"rule\":\"%s\",\"severity\":\"%s\",", rule->name, verify_severity_name(rule->severity));
	add_range(lines, finding->start, finding->end, out);
	str_add(out, ",\"message\":");
	str_add_json(out, finding->message, strlen(finding->message));
	str_add(out, ",\"why\":");
	str_add_json_text(out, rule->why);
	str_add_char(out, '}');
}

static void add_need(const struct need *need, const struct lines *lines, struct str *out)
{
	str_printf(out, "{\"need\":\"%s\",", needs[need->need]);
	add_range(lines, need->start, need->end, out);
	str_add(out, ",\"value\":");
	str_add_json_text(out, need->value);
	str_add_char(out, '}');
}

int verify_print(const struct verify_request *request, const struct verify_report *report, struct arena *arena, struct str *out)
{
	struct lines lines = { .text = request->text };

	if (find_lines(&lines, request->n, arena) < 0)
		return -ENOMEM;
	str_printf(out, "{\"broken\":%s,\"truncated\":%s,\"findings\":[", report->broken ? "true" : "false",
	           report->truncated ? "true" : "false");
	for (size_t i = 0; i < report->findings.n; i++) {
		str_add(out, i ? "," : "");
		add_finding(&report->findings.at[i], &lines, out);
	}
	str_add(out, "],\"needs\":[");
	for (size_t i = 0; i < report->needs.n; i++) {
		str_add(out, i ? "," : "");
		add_need(&report->needs.at[i], &lines, out);
	}
	str_add(out, "]}");
	return out->failed ? -ENOMEM : 0;
}
