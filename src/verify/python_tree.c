/*
 * Theory of operation. A work list of pairs: a node of the grammar's tree, and our node that it became and whose children are still missing. Filling one in adds
 * its children at once, in ast's order, and puts them on the list, so nothing recurses, however deep a program nests. What ast has no node for (parentheses,
 * blocks) is passed through on the way. What the grammar nests and ast does not (chains of `and`, of `=`) is unrolled in a loop, and the other way about for elif.
 */
#include "verify/python_tree.h"

#include "verify/python_build.h"
#include "verify/python_fold.h"

#include <errno.h>

enum way { WAY_PLAIN, WAY_SKIP, WAY_WRAP, WAY_BLOCK, WAY_LEAF, WAY_OWN };

static const struct shape {
	const char *type;
	uint8_t way, kind;
} shapes[] = {
	[NODE_UNKNOWN] = { "", WAY_PLAIN, TREE_OTHER },
#define NODE(id, type, way, kind) [NODE_##id] = { type, WAY_##way, TREE_##kind },
#include "verify/python_nodes.def"
#undef NODE
};

static const char *const field_names[] = { "",          "left",         "right",       "type",       "value",
	                                   "alias",     "name",         "module_name", "condition",  "body",
	                                   "function",  "arguments",    "attribute",   "parameters", "key",
	                                   "subscript", "superclasses", "return_type", "subject" };

enum { SYMBOLS_MAX = 1024 };

/* The grammar's numbers for our names; worked out once. */
static struct {
	bool made;
	uint8_t node[SYMBOLS_MAX];
	uint8_t field[256];
} numbers;

static uint8_t find_node(const char *type)
{
	for (uint8_t i = 1; i < NODES_END; i++)
		if (strcmp(shapes[i].type, type) == 0)
			return i;
	return NODE_UNKNOWN;
}

static uint8_t find_field(const char *name)
{
	for (uint8_t i = 1; i < ARRAY_LEN(field_names); i++)
		if (name && strcmp(field_names[i], name) == 0)
			return i;
	return FIELD_NONE;
}

static void make_numbers(const TSLanguage *language)
{
	uint32_t n = ts_language_symbol_count(language), fields = ts_language_field_count(language);

	if (numbers.made)
		return;
	for (uint32_t i = 0; i < n && i < SYMBOLS_MAX; i++)
		if (ts_language_symbol_type(language, (TSSymbol)i) != TSSymbolTypeAnonymous)
			numbers.node[i] = find_node(ts_language_symbol_name(language, (TSSymbol)i));
	for (uint32_t i = 1; i <= fields && i < ARRAY_LEN(numbers.field); i++)
		numbers.field[i] = find_field(ts_language_field_name_for_id(language, (TSFieldId)i));
	numbers.made = true;
}

enum node_id node_id(TSNode node)
{
	TSSymbol symbol = ts_node_symbol(node);
	return ts_node_is_named(node) && symbol < SYMBOLS_MAX ? (enum node_id)numbers.node[symbol] : NODE_UNKNOWN;
}

struct kids build_kids(struct build *build, TSNode node)
{
	struct kids kids = { .from = build->kids.n };
	bool more;

	ts_tree_cursor_reset(&build->cursor, node);
	for (more = ts_tree_cursor_goto_first_child(&build->cursor); more; more = ts_tree_cursor_goto_next_sibling(&build->cursor)) {
		TSNode kid = ts_tree_cursor_current_node(&build->cursor);
		uint8_t field = numbers.field[(uint8_t)ts_tree_cursor_current_field_id(&build->cursor)];
		struct kid *slot = ts_node_is_extra(kid) && node_id(kid) != NODE_UNKNOWN ? NULL : kid_vec_add(&build->kids, build->arena);
		if (!slot)
			continue;
		*slot = (struct kid){ .node = kid, .field = field, .named = ts_node_is_named(kid) };
	}
	kids.to = build->kids.n;
	return kids;
}

/* The one thing in parentheses, behind a colon, behind an @. */
static bool unwrap(TSNode *node)
{
	uint32_t n = ts_node_named_child_count(*node);

	for (uint32_t i = 0; i < n; i++) {
		TSNode kid = ts_node_named_child(*node, i);
		if (ts_node_is_extra(kid))
			continue;
		*node = kid;
		return true;
	}
	return false;
}

uint32_t build_add(struct build *build, uint32_t parent, enum tree_kind kind, TSNode node)
{
	uint32_t i = tree_add(build->tree, build->arena, parent, kind);

	if (i == 0) {
		build->failed = true;
		return 0;
	}
	build->tree->nodes.at[i].start = ts_node_start_byte(node);
	build->tree->nodes.at[i].end = ts_node_end_byte(node);
	return i;
}

void build_name_at(struct build *build, uint32_t i, uint32_t start, uint32_t end)
{
	const char *text = build->tree->text + start;

	uint32_t n = end - start;

	for (uint32_t k = 0; k < n; k++) {
		if (text[k] & 0x80) {
			text = python_fold(text, &n, build->arena);
			break;
		}
	}
	build->failed = build->failed || !text;
	build->tree->nodes.at[i].name = text ? text : "";
	build->tree->nodes.at[i].name_n = text ? n : 0;
}

void build_name(struct build *build, uint32_t i, TSNode node)
{
	if (!ts_node_is_null(node))
		build_name_at(build, i, ts_node_start_byte(node), ts_node_end_byte(node));
}

void build_later(struct build *build, uint32_t i, TSNode node)
{
	struct item *item = i == 0 ? NULL : item_vec_add(&build->items, build->arena);

	if (item)
		*item = (struct item){ .node = node, .i = i };
	else
		build->failed = true;
}

static enum tree_kind kind_of(const struct build *build, TSNode node, enum node_id id)
{
	if (id == NODE_DECORATED)
		return node_id(ts_node_child_by_field_name(node, "definition", 10)) == NODE_CLASS ? TREE_CLASS : TREE_FUNCTION;
	if ((id == NODE_STRING || id == NODE_CONCATENATED) && build_is_joined(build, node))
		return TREE_JOINED;
	if (id == NODE_ASSIGNMENT && !ts_node_is_null(ts_node_child_by_field_name(node, "type", 4)))
		return TREE_ANNOTATED;
	return (enum tree_kind)shapes[id].kind;
}

/* What a statement is, when an expression statement is only the coat of an assignment. */
static TSNode uncoat(TSNode node)
{
	TSNode kid = node;

	if (node_id(node) != NODE_EXPRESSION || !unwrap(&kid))
		return node;
	return node_id(kid) == NODE_ASSIGNMENT || node_id(kid) == NODE_AUGMENTED ? kid : node;
}

static uint32_t attach_one(struct build *build, uint32_t parent, enum tree_part part, TSNode node)
{
	enum node_id id = node_id(node);
	uint32_t i;

	while (shapes[id].way == WAY_WRAP) {
		if (!unwrap(&node))
			return 0;
		id = node_id(node);
	}
	if (shapes[id].way == WAY_SKIP)
		return 0;
	node = uncoat(node);
	id = node_id(node);
	i = build_add(build, parent, kind_of(build, node, id), node);
	if (i == 0)
		return 0;
	build->tree->nodes.at[i].part = (uint8_t)part;
	if (shapes[id].way != WAY_LEAF)
		build_later(build, i, node);
	else if (shapes[id].kind == TREE_NAME)
		build_name(build, i, node);
	return i;
}

static void attach_block(struct build *build, uint32_t parent, enum tree_part part, TSNode node)
{
	struct kids kids = build_kids(build, node);

	for (size_t k = kids.from; k < kids.to; k++) {
		TSNode kid = build->kids.at[k].node;
		if (!build->kids.at[k].named)
			continue;
		if (shapes[node_id(kid)].way == WAY_BLOCK) /* else: its block */
			attach_block(build, parent, part, kid);
		else
			(void)attach_one(build, parent, part, kid);
	}
	build->kids.n = kids.from;
}

uint32_t build_attach(struct build *build, uint32_t parent, enum tree_part part, TSNode node)
{
	if (ts_node_is_null(node) || !ts_node_is_named(node))
		return 0;
	if (shapes[node_id(node)].way != WAY_BLOCK)
		return attach_one(build, parent, part, node);
	attach_block(build, parent, PART_BODY, node);
	return 0;
}

static enum tree_part part_of(enum tree_kind kind, uint8_t field)
{
	bool binds = kind == TREE_FOR || kind == TREE_GENERATOR || kind == TREE_AUGMENTED || kind == TREE_NAMED;

	if (field == FIELD_TYPE)
		return PART_TYPE;
	if (binds && (field == FIELD_LEFT || field == FIELD_NAME))
		return PART_TARGET;
	if (binds && (field == FIELD_RIGHT || field == FIELD_VALUE))
		return PART_VALUE;
	return kind == TREE_LAMBDA && field == FIELD_BODY ? PART_BODY : PART_NONE;
}

void build_plain(struct build *build, uint32_t i, TSNode node)
{
	struct kids kids = build_kids(build, node);
	enum tree_kind kind = (enum tree_kind)tree_at(build->tree, i)->kind;

	for (size_t k = kids.from; k < kids.to; k++) {
		struct kid kid = build->kids.at[k];
		if (kid.named)
			(void)build_attach(build, i, part_of(kind, kid.field), kid.node);
		else if ((kind == TREE_BINARY || kind == TREE_AUGMENTED) && build->tree->nodes.at[i].op == 0)
			build->tree->nodes.at[i].op = (uint8_t)build->tree->text[ts_node_start_byte(kid.node)];
	}
	build->kids.n = kids.from;
}

int python_tree(const TSTree *parsed, struct arena *arena, struct tree *ret_tree)
{
	struct build build = { .tree = ret_tree, .arena = arena };
	TSNode root = ts_tree_root_node(parsed);

	make_numbers(ts_tree_language(parsed));
	build.cursor = ts_tree_cursor_new(root);
	(void)tree_add(ret_tree, arena, 0, TREE_MODULE);
	if (ret_tree->nodes.n == 1)
		build_plain(&build, 0, root);
	else
		build.failed = true;
	while (build.items.n > 0 && !build.failed) {
		struct item item = build.items.at[--build.items.n];
		if (shapes[node_id(item.node)].way == WAY_OWN)
			build_own(&build, item.i, item.node);
		else
			build_plain(&build, item.i, item.node);
	}
	ts_tree_cursor_delete(&build.cursor);
	return build.failed ? -ENOMEM : 0;
}
