#include "verify/python_build.h"

/* ---- small questions ---- */

static TSNode field(TSNode node, const char *name)
{
	return ts_node_child_by_field_name(node, name, (uint32_t)strlen(name));
}

static bool is_bare(const struct build *build, TSNode node, const char *text)
{
	uint32_t start = ts_node_start_byte(node), n = ts_node_end_byte(node) - start;
	return n == strlen(text) && memcmp(build->tree->text + start, text, n) == 0;
}

bool build_prefix_has(const struct build *build, TSNode string, char lower)
{
	TSNode start = ts_node_child(string, 0);
	uint32_t at = ts_node_is_null(start) ? 0 : ts_node_start_byte(start), end = ts_node_is_null(start) ? 0 : ts_node_end_byte(start);

	for (; at < end; at++)
		if ((build->tree->text[at] | 0x20) == lower)
			return true;
	return false;
}

bool build_is_joined(const struct build *build, TSNode node)
{
	uint32_t n = ts_node_named_child_count(node);
	TSTreeCursor cursor;
	bool joined = false, more;

	if (node_id(node) == NODE_STRING || n == 0)
		return build_prefix_has(build, node, 'f');
	cursor = ts_tree_cursor_new(node);
	for (more = ts_tree_cursor_goto_first_child(&cursor); more && !joined; more = ts_tree_cursor_goto_next_sibling(&cursor))
		joined = build_prefix_has(build, ts_tree_cursor_current_node(&cursor), 'f');
	ts_tree_cursor_delete(&cursor);
	return joined;
}

/* All of them that are in one field, or in none of the named ones (FIELD_NONE). */
static void attach_field(struct build *build, struct kids kids, uint32_t i, uint8_t wanted, enum tree_part part)
{
	for (size_t k = kids.from; k < kids.to; k++)
		if (build->kids.at[k].field == wanted)
			(void)build_attach(build, i, part, build->kids.at[k].node);
}

/* a, b: a tuple that has no node of its own. */
static uint32_t attach_tuple(struct build *build, struct kids kids, uint32_t i, uint8_t wanted)
{
	size_t n = 0;
	bool comma = false;

	for (size_t k = kids.from; k < kids.to; k++) {
		n += build->kids.at[k].named && build->kids.at[k].field == wanted;
		comma = comma || (!build->kids.at[k].named && is_bare(build, build->kids.at[k].node, ","));
	}
	if (n > 1 || comma) {
		uint32_t tuple = build_add(build, i, TREE_LIST, build->kids.at[kids.from].node);
		build->tree->nodes.at[tuple].start = tree_at(build->tree, i)->start;
		i = tuple;
	}
	attach_field(build, kids, i, wanted, PART_NONE);
	return i;
}

/* ---- imports ---- */

static void add_alias(struct build *build, uint32_t i, TSNode node)
{
	TSNode name = field(node, "name"), alias = field(node, "alias");
	uint32_t at = build_add(build, i, TREE_ALIAS, node), called;

	build_name(build, at, ts_node_is_null(name) ? node : name);
	if (ts_node_is_null(alias))
		return;
	called = build_add(build, at, TREE_NAME, alias);
	build_name(build, called, alias);
}

static void own_import(struct build *build, uint32_t i, struct kids kids)
{
	for (size_t k = kids.from; k < kids.to; k++)
		if (build->kids.at[k].field == FIELD_NAME && build->kids.at[k].named)
			add_alias(build, i, build->kids.at[k].node);
}

/* from ..a.b: two dots and a name, either of which may be missing. */
static void own_module(struct build *build, uint32_t i, TSNode module)
{
	uint32_t at = ts_node_start_byte(module), end = ts_node_end_byte(module);
	const char *text = build->tree->text;
	struct tree_node *node = &build->tree->nodes.at[i];

	while (at < end && (text[at] == '.' || text[at] == ' ' || text[at] == '\\' || text[at] == '\n' || text[at] == '\t' ||
	                    text[at] == '\r' || text[at] == '\f'))
		node->level = (uint8_t)(node->level + (text[at++] == '.' && node->level < UINT8_MAX));
	build_name_at(build, i, at, end);
}

static void own_import_from(struct build *build, uint32_t i, TSNode node, struct kids kids)
{
	TSNode module = field(node, "module_name");

	if (!ts_node_is_null(module))
		own_module(build, i, module);
	else /* from __future__ */
		build->tree->nodes.at[i].level = 1;
	own_import(build, i, kids);
}

/* ---- statements ---- */

static void own_expression(struct build *build, uint32_t i, struct kids kids)
{
	(void)attach_tuple(build, kids, i, FIELD_NONE);
}

/* a = b = c: the targets, then the value. */
static void own_assignment(struct build *build, uint32_t i, TSNode node)
{
	for (;;) {
		TSNode left = field(node, "left"), right = field(node, "right"), type = field(node, "type");
		(void)build_attach(build, i, PART_TARGET, left);
		(void)build_attach(build, i, PART_TYPE, type);
		if (ts_node_is_null(right))
			return;
		if (node_id(right) != NODE_ASSIGNMENT) {
			(void)build_attach(build, i, PART_VALUE, right);
			return;
		}
		node = right;
	}
}

static void own_delete(struct build *build, uint32_t i, struct kids kids)
{
	TSNode only = kids.to > kids.from + 1 ? build->kids.at[kids.from + 1].node : build->kids.at[kids.from].node;

	if (node_id(only) == NODE_EXPRESSIONS)
		build_plain(build, i, only);
	else
		attach_field(build, kids, i, FIELD_NONE, PART_NONE);
}

/* elif is an `if` in the else of the one before. */
static void own_if(struct build *build, uint32_t i, struct kids kids)
{
	for (size_t k = kids.from; k < kids.to; k++) {
		TSNode kid = build->kids.at[k].node;
		if (node_id(kid) != NODE_ELIF) {
			(void)build_attach(build, i, PART_NONE, kid);
			continue;
		}
		i = build_add(build, i, TREE_OTHER, kid);
		build_plain(build, i, kid);
	}
}

/* with (a, b): two items, not a tuple; with (a, *b): a tuple. */
static bool is_row_of_items(TSNode item)
{
	TSNode value = field(item, "value");
	uint32_t n = ts_node_is_null(value) ? 0 : ts_node_named_child_count(value);

	if (n == 0 || node_id(value) != NODE_TUPLE || n > 64)
		return false;
	for (uint32_t k = 0; k < n; k++)
		if (node_id(ts_node_named_child(value, k)) == NODE_LIST_SPLAT)
			return false;
	return true;
}

static void attach_items(struct build *build, uint32_t i, TSNode clause)
{
	TSNode item = ts_node_named_child(clause, 0), value = field(item, "value");

	if (ts_node_named_child_count(clause) != 1 || !is_row_of_items(item)) {
		(void)build_attach(build, i, PART_NONE, clause);
		return;
	}
	for (uint32_t k = 0; k < ts_node_named_child_count(value); k++) {
		TSNode one = ts_node_named_child(value, k);
		(void)build_attach(build, build_add(build, i, TREE_WITH_ITEM, one), PART_VALUE, one);
	}
}

static void own_with(struct build *build, uint32_t i, struct kids kids)
{
	for (size_t k = kids.from; k < kids.to; k++) {
		TSNode kid = build->kids.at[k].node;
		if (node_id(kid) == NODE_WITH_CLAUSE)
			attach_items(build, i, kid);
		else
			(void)build_attach(build, i, PART_NONE, kid);
	}
}

/* value, or value `as` target; of an except clause the body follows. */
static void own_binding(struct build *build, uint32_t i, struct kids kids)
{
	for (size_t k = kids.from; k < kids.to; k++) {
		TSNode kid = build->kids.at[k].node, alias = field(kid, "alias");
		if (ts_node_is_null(alias)) {
			enum tree_part part = build->kids.at[k].field == FIELD_ALIAS ? PART_TARGET : PART_VALUE;
			(void)build_attach(build, i, part, kid);
			continue;
		}
		(void)build_attach(build, i, PART_VALUE, ts_node_named_child(kid, 0));
		(void)build_attach(build, i, PART_TARGET, alias);
	}
}

static void own_match(struct build *build, uint32_t i, struct kids kids)
{
	size_t subjects = kids.from;

	while (subjects < kids.to && node_id(build->kids.at[subjects].node) != NODE_BLOCK)
		subjects++;
	(void)attach_tuple(build, (struct kids){ kids.from, subjects }, i, FIELD_SUBJECT);
	if (subjects < kids.to)
		(void)build_attach(build, i, PART_NONE, build->kids.at[subjects].node);
}

/* ---- definitions ---- */

static void attach_definition(struct build *build, uint32_t i, TSNode node)
{
	static const char *const parts[] = { "parameters", "superclasses", "body" };
	TSNode name = field(node, "name"), superclasses = field(node, "superclasses");

	if (!ts_node_is_null(name))
		build_name(build, i, name);
	for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
		TSNode part = field(node, parts[k]);
		if (!ts_node_is_null(superclasses) && ts_node_eq(part, superclasses))
			build_arguments(build, i, part);
		else
			(void)build_attach(build, i, k == 2 ? PART_BODY : PART_NONE, part);
	}
}

static void own_definition(struct build *build, uint32_t i, TSNode node)
{
	TSNode definition = node_id(node) == NODE_DECORATED ? field(node, "definition") : node;
	struct kids kids = build_kids(build, node);

	attach_definition(build, i, definition);
	for (size_t k = kids.from; k < kids.to; k++)
		if (node_id(build->kids.at[k].node) == NODE_DECORATOR)
			(void)build_attach(build, i, PART_DECORATOR, build->kids.at[k].node);
	(void)build_attach(build, i, PART_RETURNS, field(definition, "return_type"));
	build->kids.n = kids.from;
}

/* ---- the rest ---- */

static void own_conditional(struct build *build, uint32_t i, struct kids kids)
{
	uint32_t order[3] = { 0 };
	size_t n = 0;
	TSNode parts[3];

	for (size_t k = kids.from; k < kids.to && n < 3; k++)
		if (build->kids.at[k].named)
			parts[n++] = build->kids.at[k].node;
	if (n < 3)
		return;
	order[0] = build_attach(build, i, PART_NONE, parts[1]);
	order[1] = build_attach(build, i, PART_VALUE, parts[0]);
	order[2] = build_attach(build, i, PART_VALUE, parts[2]);
	build->failed = build->failed || !order[0] || !order[1] || !order[2];
}

/* a or b or c is one node with three children, unless parentheses say otherwise. */
static void own_boolean(struct build *build, uint32_t i, TSNode node)
{
	size_t base = build->kids.n;
	TSNode left = field(node, "left"), operator= field(node, "operator");
	uint32_t op = build->tree->nodes.at[i].op = (uint8_t)build->tree->text[ts_node_start_byte(operator)];

	for (;;) {
		struct kid *slot = kid_vec_add(&build->kids, build->arena);
		if (!slot)
			return;
		slot->node = field(node, "right");
		left = field(node, "left");
		if (node_id(left) != NODE_BOOLEAN)
			break;
		operator= field(left, "operator");
		if ((uint8_t)build->tree->text[ts_node_start_byte(operator)] != op)
			break;
		node = left;
	}
	(void)build_attach(build, i, PART_VALUE, left);
	while (build->kids.n > base)
		(void)build_attach(build, i, PART_VALUE, build->kids.at[--build->kids.n].node);
}

static void own_subscript(struct build *build, uint32_t i, struct kids kids)
{
	attach_field(build, kids, i, FIELD_VALUE, PART_NONE);
	(void)attach_tuple(build, kids, i, FIELD_SUBSCRIPT);
}

/* List[int]: the name, and what stands in the brackets. */
static void own_generic(struct build *build, uint32_t i, struct kids kids)
{
	for (size_t k = kids.from; k < kids.to; k++) {
		TSNode kid = build->kids.at[k].node;
		if (k == kids.from) {
			(void)build_attach(build, i, PART_NONE, kid);
			continue;
		}
		struct kids inside = build_kids(build, kid);
		(void)attach_tuple(build, inside, i, FIELD_NONE);
		build->kids.n = inside.from;
	}
}

static void own_attribute(struct build *build, uint32_t i, TSNode node)
{
	build_name(build, i, field(node, "attribute"));
	(void)build_attach(build, i, PART_NONE, field(node, "object"));
}

static void own_keyword(struct build *build, uint32_t i, TSNode node)
{
	build_name(build, i, field(node, "name"));
	(void)build_attach(build, i, PART_VALUE, field(node, "value"));
}

static void own_simple(struct build *build, uint32_t i, TSNode node, struct kids kids)
{
	switch (node_id(node)) {
	case NODE_IMPORT:
		own_import(build, i, kids);
		return;
	case NODE_IMPORT_FROM:
	case NODE_IMPORT_FUTURE:
		own_import_from(build, i, node, kids);
		return;
	case NODE_EXPRESSION:
		own_expression(build, i, kids);
		return;
	case NODE_DELETE:
		own_delete(build, i, kids);
		return;
	case NODE_IF:
		own_if(build, i, kids);
		return;
	case NODE_WITH:
		own_with(build, i, kids);
		return;
	case NODE_WITH_ITEM:
	case NODE_EXCEPT:
	case NODE_EXCEPT_GROUP:
		own_binding(build, i, kids);
		return;
	case NODE_MATCH:
		own_match(build, i, kids);
		return;
	case NODE_CONDITIONAL:
		own_conditional(build, i, kids);
		return;
	case NODE_SUBSCRIPT:
		own_subscript(build, i, kids);
		return;
	case NODE_GENERIC:
		own_generic(build, i, kids);
		return;
	default:
		build_gathered(build, i, node, kids);
	}
}

void build_own(struct build *build, uint32_t i, TSNode node)
{
	struct kids kids;

	switch (node_id(node)) {
	case NODE_ASSIGNMENT:
		own_assignment(build, i, node);
		return;
	case NODE_FUNCTION:
	case NODE_CLASS:
	case NODE_DECORATED:
		own_definition(build, i, node);
		return;
	case NODE_BOOLEAN:
		own_boolean(build, i, node);
		return;
	case NODE_ATTRIBUTE:
		own_attribute(build, i, node);
		return;
	case NODE_KEYWORD:
		own_keyword(build, i, node);
		return;
	default:
		kids = build_kids(build, node);
		own_simple(build, i, node, kids);
		build->kids.n = kids.from;
	}
}
