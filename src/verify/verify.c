#include "verify/verify.h"

#include "base/own.h"
#include "verify/judge.h"
#include "verify/python_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

enum { MESSAGE_MAX = 512, FINDINGS_MAX = 2000 };

const struct verify_rule_facts verify_rules[] = {
#define RULE(id, name, severity, why) [RULE_##id] = { name, why, SEVERITY_##severity },
#include "verify/rules.def"
#undef RULE
};

const TSLanguage *tree_sitter_python(void);

static const char *const names[] = {
#define LANGUAGE(id, name, suffixes) [LANGUAGE_##id] = name,
#include "verify/languages.def"
#undef LANGUAGE
};

const char *verify_severity_name(enum verify_severity severity)
{
	static const char *const severities[] = { "note", "warning", "error" };
	return severities[severity];
}

enum verify_language verify_language(const char *name)
{
	unsigned i = 0;

	while (i < LANGUAGES_END && strcmp(names[i], name) != 0)
		i++;
	return (enum verify_language)i;
}

void judge_find(struct judge *judge, enum verify_rule rule, struct place place, const char *fmt, ...)
{
	struct finding *finding;
	va_list args;
	char *text;

	judge->report->truncated = judge->report->truncated || judge->report->findings.n >= FINDINGS_MAX;
	if (judge->request->allowed[rule] || judge->report->truncated)
		return;
	va_start(args, fmt);
	text = arena_vprintf(judge->arena, fmt, args);
	va_end(args);
	finding = text ? finding_vec_add(&judge->report->findings, judge->arena) : NULL;
	if (finding)
		*finding = (struct finding){ .rule = rule, .start = place.start, .end = place.end, .message = text };
	else
		judge->failed = true;
}

void judge_need(struct judge *judge, enum verify_need need, const char *value, struct place place)
{
	struct need *slot = judge->report->needs.n < FINDINGS_MAX ? need_vec_add(&judge->report->needs, judge->arena) : NULL;

	if (slot)
		*slot = (struct need){ .need = need, .value = value, .start = place.start, .end = place.end };
}

/* ---- mistakes of syntax ---- */

/* The first node that is a mistake or missing. Only subtrees that hold one are entered, so this is as long as the tree is deep. */
static uint32_t find_mistake(TSNode root)
{
	TSTreeCursor cursor = ts_tree_cursor_new(root);
	uint32_t at = 0;

	for (;;) {
		TSNode node = ts_tree_cursor_current_node(&cursor);
		bool mistake = ts_node_is_error(node) || ts_node_is_missing(node);
		at = ts_node_start_byte(node);
		if (mistake)
			break;
		if (ts_node_has_error(node) ? ts_tree_cursor_goto_first_child(&cursor) : ts_tree_cursor_goto_next_sibling(&cursor))
			continue;
		break;
	}
	ts_tree_cursor_delete(&cursor);
	return at;
}

static int judge_python(struct judge *judge, const TSTree *parsed)
{
	int r = python_tree(parsed, judge->arena, &judge->tree);

	if (r == 0 && judge->request->mode == VERIFY_ANVIL)
		python_anvil(judge);
	else if (r == 0)
		python_strict(judge);
	return r;
}

/* In the words of Anvil, whose users see it; where there is a CPython the caller asks that one, and this is not told. */
static void tell_mistake(struct judge *judge)
{
	uint32_t line = 1, at = judge->report->broken_at;

	for (uint32_t i = 0; i < at && i < judge->request->n; i++)
		line += judge->tree.text[i] == '\n';
	judge_find(judge, RULE_SYNTAX, (struct place){ at, at + 1 }, "Syntax error: invalid syntax (<unknown>, line %u)", line);
}

static int judge_parsed(struct judge *judge, const TSTree *parsed)
{
	TSNode root = ts_tree_root_node(parsed);
	int r = judge_python(judge, parsed);

	if (r < 0)
		return r;
	judge->report->broken = ts_node_has_error(root);
	if (judge->report->broken) {
		judge->report->broken_at = find_mistake(root);
		tell_mistake(judge);
		if (judge->request->mode == VERIFY_STRICT)
			judge_find(judge, RULE_UNREADABLE, (struct place){ judge->report->broken_at, judge->report->broken_at },
			           "from here on the grammar does not understand the program");
	}
	return judge->failed ? -ENOMEM : 0;
}

/* A lone carriage return ends a line for Python, and not for the grammar: what stands behind one in a comment would not be seen. */
static int end_lines(struct judge *judge)
{
	const struct verify_request *request = judge->request;
	char *text = arena_dup_n(judge->arena, request->text, request->n);

	for (size_t i = 0; text && i < request->n; i++)
		if (text[i] == '\r' && text[i + 1] != '\n')
			text[i] = '\n';
	judge->tree.text = text;
	judge->tree.text_n = request->n;
	return text ? 0 : -ENOMEM;
}

static int parse_and_judge(struct judge *judge, struct err *err)
{
	TSParser *parser = ts_parser_new();
	TSTree *parsed = NULL;
	int r = end_lines(judge);

	if (r == 0)
		r = -ENOMEM;
	if (judge->tree.text && parser && ts_parser_set_language(parser, tree_sitter_python()))
		parsed = ts_parser_parse_string(parser, NULL, judge->tree.text, (uint32_t)judge->request->n);
	if (parsed)
		r = judge_parsed(judge, parsed);
	ts_tree_delete(parsed);
	ts_parser_delete(parser);
	return r < 0 ? err_set(err, ERR_LIMIT, -r, "the program is too much for the memory that it may be read with") : 0;
}

int verify(const struct verify_request *request, struct arena *arena, struct verify_report *ret_report, struct err *err)
{
	struct judge judge = { .request = request, .arena = arena, .report = ret_report };

	memset(ret_report, 0, sizeof(*ret_report));
	if (request->n > VERIFY_TEXT_MAX)
		return err_set(err, ERR_LIMIT, EFBIG, "the program has %zu bytes, and %d are read at most", request->n, VERIFY_TEXT_MAX);
	return parse_and_judge(&judge, err);
}
