#include "verify/python_text.h"

#include "base/own.h"
#include "base/str.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096, PARTS_MAX = 256 };

static const struct tree_node *node_at(const struct world *world, uint32_t i)
{
	return tree_at(world->tree, i);
}

static uint32_t finish(struct world *world, struct str *text, bool known)
{
	uint32_t atom =
	    known && !text->failed && !memchr(text->text, '\0', text->len) ? world_text(world, text->text, text->len) : ATOM_UNKNOWN;

	str_done(text);
	return atom;
}

/* ---- escapes ---- */

static void add_code(struct str *out, unsigned long code)
{
	if (code < 0x80)
		str_add_char(out, (char)code);
	else if (code < 0x800)
		str_printf(out, "%c%c", (int)(0xc0 | code >> 6), (int)(0x80 | (code & 0x3f)));
	else
		str_printf(out, "%c%c%c", (int)(0xe0 | (code >> 12 & 0xf)), (int)(0x80 | (code >> 6 & 0x3f)), (int)(0x80 | (code & 0x3f)));
}

/* \x41, \u0041, \U00000041: `digits` of them. Returns how many bytes were taken. */
static size_t add_hex(struct str *out, const char *at, size_t n, size_t digits)
{
	char hex[9] = "";
	size_t k = 0;

	while (k < digits && k + 1 < n && strchr("0123456789abcdefABCDEF", at[k + 1]) && at[k + 1]) {
		hex[k] = at[k + 1];
		k++;
	}
	add_code(out, strtoul(hex, NULL, 16));
	return k + 1;
}

static size_t add_octal(struct str *out, const char *at, size_t n)
{
	unsigned long code = 0;
	size_t k = 0;

	for (; k < 3 && k < n && at[k] >= '0' && at[k] <= '7'; k++)
		code = code * 8 + (unsigned long)(at[k] - '0');
	add_code(out, code);
	return k;
}

/* What stands behind a backslash. \N{…} gives up on the text: what it names is in a table that is not here. */
static size_t add_escape(struct str *out, const char *at, size_t n)
{
	static const char letters[] = "abfnrtv", meant[] = "\a\b\f\n\r\t\v";
	const char *found = *at ? strchr(letters, *at) : NULL;

	if (*at == '\n')
		return 1;
	if (*at == 'x' || *at == 'u' || *at == 'U')
		return add_hex(out, at, n, *at == 'x' ? 2 : *at == 'u' ? 4 : 8);
	if (*at >= '0' && *at <= '7')
		return add_octal(out, at, n);
	if (*at == 'N')
		out->failed = true;
	if (!found && !strchr("\\'\"", *at))
		str_add_char(out, '\\');
	str_add_char(out, found ? meant[found - letters] : *at);
	return 1;
}

struct dialect {
	bool raw, format;
};

static void add_content(struct str *out, const char *at, size_t n, struct dialect dialect)
{
	while (n > 0) {
		size_t taken = 1;
		if (*at == '\\' && !dialect.raw && n > 1) {
			taken = 1 + add_escape(out, at + 1, n - 1);
		} else {
			str_add_char(out, *at);
			taken += dialect.format && n > 1 && (*at == '{' || *at == '}') && at[1] == *at;
		}
		taken = taken < n ? taken : n;
		at += taken;
		n -= taken;
	}
}

/* ---- literals ---- */

static size_t skip_between(const char *at, size_t n)
{
	size_t k = 0;

	while (k < n && strchr(" \t\f\r\n\\(", at[k]) && at[k])
		k++;
	while (k < n && at[k] == '#') {
		while (k < n && at[k] != '\n')
			k++;
		while (k < n && strchr(" \t\f\r\n\\", at[k]) && at[k])
			k++;
	}
	return k;
}

/* One literal at the beginning of n bytes. Returns its length; 0 when there is none. */
static size_t add_literal(struct str *out, const char *at, size_t n)
{
	struct dialect dialect = { false, false };
	size_t k = 0, quotes = 1, from;

	for (; k < n && at[k] != '"' && at[k] != '\''; k++) {
		if (k > 2 || !at[k] || !strchr("rRbBuUfF", at[k]))
			return 0;
		dialect.raw = dialect.raw || (at[k] | 0x20) == 'r';
	}
	if (k == n)
		return 0;
	if (k + 2 < n && at[k + 1] == at[k] && at[k + 2] == at[k])
		quotes = 3;
	from = k + quotes;
	for (k = from; k + quotes <= n; k += at[k] == '\\' ? 2 : 1) {
		if (at[k] != at[from - 1] || (quotes == 3 && (at[k + 1] != at[k] || at[k + 2] != at[k])))
			continue;
		add_content(out, at + from, k - from, dialect);
		return k + quotes;
	}
	return 0;
}

uint32_t python_text_literal(struct world *world, uint32_t start, uint32_t end)
{
	const char *at = world->tree->text + start;
	size_t n = end - start, taken = 1;
	struct str out;

	if (n > TEXT_MAX * 2)
		return ATOM_UNKNOWN;
	str_init(&out, TEXT_MAX);
	while (n > 0 && taken > 0) {
		taken = add_literal(&out, at, n);
		taken += taken ? skip_between(at + taken, n - taken) : 0;
		at += taken;
		n -= taken;
	}
	return finish(world, &out, n == 0);
}

uint32_t python_text_joined(struct world *world, uint32_t i)
{
	struct str out;
	bool known = true;

	str_init(&out, TEXT_MAX);
	for (uint32_t part = node_at(world, i)->first; part && known; part = node_at(world, part)->next) {
		const struct tree_node *node = node_at(world, part);
		const char *text = world_text_of(world, world->value[part]);
		if (node->kind == TREE_PIECE)
			add_content(&out, world->tree->text + node->start, node->end - node->start,
			            (struct dialect){ node->level, node->op });
		else if (text)
			str_add(&out, text);
		else
			known = false;
	}
	return finish(world, &out, known);
}

/* ---- what is done with them ---- */

uint32_t python_text_sum(struct world *world, uint32_t i)
{
	const struct tree_node *node = node_at(world, i);
	uint32_t left = node->first, right = left ? node_at(world, left)->next : 0;
	const char *a = left ? world_text_of(world, world->value[left]) : NULL,
		   *b = right ? world_text_of(world, world->value[right]) : NULL;
	struct str out;

	if (node->op != '+' || !a || !b)
		return a || b ? ATOM_UNKNOWN : ATOM_NOTHING;
	str_init(&out, TEXT_MAX);
	str_add(&out, a);
	str_add(&out, b);
	return finish(world, &out, true);
}

/* [::-1], and no other. */
uint32_t python_text_slice(struct world *world, const char *text, const struct tree_node *slice)
{
	const char *at = world->tree->text + slice->start;
	size_t n = strlen(text);
	struct str out;

	if (slice->end - slice->start != 4 || memcmp(at, "::-1", 4) != 0)
		return ATOM_UNKNOWN;
	str_init(&out, TEXT_MAX);
	while (n > 0)
		str_add_char(&out, text[--n]);
	return finish(world, &out, true);
}

uint32_t python_text_chr(struct world *world, uint32_t argument)
{
	const struct tree_node *node = node_at(world, argument);
	char digits[16] = "";
	unsigned long code;
	char *end;
	struct str out;

	if (!argument || node->kind != TREE_NUMBER || node->end - node->start >= sizeof(digits))
		return ATOM_UNKNOWN;
	memcpy(digits, world->tree->text + node->start, node->end - node->start);
	code = strtoul(digits, &end, 0);
	if (*end || code == 0 || code > 0xffff)
		return ATOM_UNKNOWN;
	str_init(&out, 8);
	add_code(&out, code);
	return finish(world, &out, true);
}

static uint32_t join_list(struct world *world, const char *between, uint32_t list)
{
	struct str out;
	bool known = list && node_at(world, list)->kind == TREE_LIST;
	const char *glue = "";

	str_init(&out, TEXT_MAX);
	for (uint32_t part = known ? node_at(world, list)->first : 0; part && known; part = node_at(world, part)->next) {
		const char *text = world_text_of(world, world->value[part]);
		str_add(&out, glue);
		str_add(&out, text ? text : "");
		known = text;
		glue = between;
	}
	return finish(world, &out, known);
}

static uint32_t replace(struct world *world, const char *text, const char *old, const char *by)
{
	struct str out;
	const char *found;

	if (!old || !by || !*old)
		return ATOM_UNKNOWN;
	str_init(&out, TEXT_MAX);
	while ((found = strstr(text, old))) {
		str_add_n(&out, text, (size_t)(found - text));
		str_add(&out, by);
		text = found + strlen(old);
	}
	str_add(&out, text);
	return finish(world, &out, true);
}

static uint32_t change_case(struct world *world, const char *text, bool upper)
{
	struct str out;

	str_init(&out, TEXT_MAX);
	for (; *text; text++) {
		bool letter = (*text | 0x20) >= 'a' && (*text | 0x20) <= 'z';
		str_add_char(&out, !letter ? *text : upper ? (char)(*text & ~0x20) : (char)(*text | 0x20));
	}
	return finish(world, &out, true);
}

static const char *text_at(const struct world *world, uint32_t node)
{
	return node ? world_text_of(world, world->value[node]) : NULL;
}

uint32_t python_text_method(struct world *world, uint32_t method, uint32_t first, uint32_t second)
{
	uint32_t object = node_at(world, method)->first;
	const char *text = text_at(world, object);

	if (tree_is_named(world->tree, method, "join"))
		return join_list(world, text, first);
	if (tree_is_named(world->tree, method, "replace"))
		return replace(world, text, text_at(world, first), text_at(world, second));
	if (tree_is_named(world->tree, method, "lower") || tree_is_named(world->tree, method, "casefold"))
		return change_case(world, text, false);
	if (tree_is_named(world->tree, method, "upper"))
		return change_case(world, text, true);
	if (tree_is_named(world->tree, method, "decode") || tree_is_named(world->tree, method, "encode") ||
	    tree_is_named(world->tree, method, "strip"))
		return world->value[object];
	return ATOM_UNKNOWN;
}
