/* What ast keeps in another order than the source: parameters and their defaults, arguments and keywords, keys and values, comprehensions, f-strings. */
#include "verify/python_build.h"

static TSNode field(TSNode node, const char *name)
{
	return ts_node_child_by_field_name(node, name, (uint32_t)strlen(name));
}

/* ---- parameters ---- */

/* *args in typed form: the name is in the splat. */
static TSNode name_in(TSNode parameter)
{
	TSNode name = field(parameter, "name");

	if (!ts_node_is_null(name))
		return name;
	while (node_id(parameter) != NODE_IDENTIFIER && ts_node_named_child_count(parameter) > 0)
		parameter = ts_node_named_child(parameter, 0);
	return parameter;
}

/* How many stars are in front of it. */
static unsigned stars(const struct build *build, TSNode parameter)
{
	uint32_t start = ts_node_start_byte(parameter), n = ts_node_end_byte(parameter) - start;
	const char *text = build->tree->text + start;

	if (n == 0 || text[0] != '*')
		return 0;
	return n > 1 && text[1] == '*' ? 2 : 1;
}

static void add_parameter(struct build *build, uint32_t i, struct kid *kid)
{
	TSNode node = kid->node;
	uint32_t at = build_add(build, i, TREE_PARAMETER, node);

	kid->i = at;
	build_name(build, at, name_in(node));
	build->tree->nodes.at[at].level = (uint8_t)stars(build, node);
	(void)build_attach(build, at, PART_TYPE, field(node, "type"));
}

/* Defaults in the order of their parameters, of kids[from, to). */
static void add_defaults(struct build *build, uint32_t i, size_t from, size_t to)
{
	for (size_t k = from; k < to; k++) {
		struct kid kid = build->kids.at[k];
		TSNode value = field(kid.node, "value");
		uint32_t at = kid.i && !ts_node_is_null(value) ? build_attach(build, i, PART_DEFAULT, value) : 0;
		if (at)
			build->tree->nodes.at[kid.i].link = at;
	}
}

/* Names up to **; the defaults of those behind the star; **; the defaults of those before the star. */
static void gather_parameters(struct build *build, uint32_t i, struct kids kids)
{
	size_t star = kids.to, last = kids.to;

	for (size_t k = kids.from; k < kids.to; k++) {
		enum node_id id = node_id(build->kids.at[k].node);
		unsigned n = build->kids.at[k].named ? stars(build, build->kids.at[k].node) : 3;
		if (n == 1 && star == kids.to)
			star = k;
		if (n == 2)
			last = k;
		else if (n < 2 && id != NODE_KEYWORD_ONLY && id != NODE_SEPARATOR)
			add_parameter(build, i, &build->kids.at[k]);
	}
	add_defaults(build, i, star, kids.to);
	if (last < kids.to)
		add_parameter(build, i, &build->kids.at[last]);
	add_defaults(build, i, kids.from, star);
}

/* ---- calls ---- */

static bool is_keyword(TSNode node)
{
	return node_id(node) == NODE_KEYWORD || node_id(node) == NODE_DICT_SPLAT;
}

void build_arguments(struct build *build, uint32_t i, TSNode arguments)
{
	struct kids kids;

	if (ts_node_is_null(arguments))
		return;
	if (node_id(arguments) == NODE_GENERATOR) {
		(void)build_attach(build, i, PART_NONE, arguments);
		return;
	}
	kids = build_kids(build, arguments);
	for (unsigned keyword = 0; keyword < 2; keyword++)
		for (size_t k = kids.from; k < kids.to; k++)
			if (is_keyword(build->kids.at[k].node) == (keyword == 1))
				(void)build_attach(build, i, PART_NONE, build->kids.at[k].node);
	build->kids.n = kids.from;
}

static void gather_call(struct build *build, uint32_t i, TSNode node)
{
	(void)build_attach(build, i, PART_NONE, field(node, "function"));
	build_arguments(build, i, field(node, "arguments"));
}

/* ---- dictionaries, comprehensions ---- */

static void gather_dict(struct build *build, uint32_t i, struct kids kids)
{
	for (size_t k = kids.from; k < kids.to; k++)
		(void)build_attach(build, i, PART_NONE, field(build->kids.at[k].node, "key"));
	for (size_t k = kids.from; k < kids.to; k++) {
		TSNode kid = build->kids.at[k].node, value = field(kid, "value");
		if (node_id(kid) == NODE_DICT_SPLAT)
			value = ts_node_named_child(kid, 0);
		(void)build_attach(build, i, PART_VALUE, value);
	}
}

static void gather_made(struct build *build, uint32_t i, TSNode made)
{
	TSNode key = field(made, "key");

	if (ts_node_is_null(key)) {
		(void)build_attach(build, i, PART_BODY, made);
		return;
	}
	(void)build_attach(build, i, PART_BODY, key);
	(void)build_attach(build, i, PART_BODY, field(made, "value"));
}

/* What is made, and a node for each `for`, which the conditions behind it belong to. */
static void gather_comprehension(struct build *build, uint32_t i, struct kids kids)
{
	uint32_t generator = 0;

	for (size_t k = kids.from; k < kids.to; k++) {
		struct kid kid = build->kids.at[k];
		if (!kid.named)
			continue;
		if (kid.field == FIELD_BODY) {
			gather_made(build, i, kid.node);
		} else if (node_id(kid.node) == NODE_FOR_IN) {
			generator = build_add(build, i, TREE_GENERATOR, kid.node);
			build_plain(build, generator, kid.node);
		} else if (generator) {
			(void)build_attach(build, generator, PART_NONE, kid.node);
		}
	}
}

/* ---- strings ---- */

static void gather_pieces(struct build *build, uint32_t i, TSNode string)
{
	struct kids kids = build_kids(build, string);
	bool raw = build_prefix_has(build, string, 'r'), format = build_prefix_has(build, string, 'f');

	for (size_t k = kids.from; k < kids.to; k++) {
		TSNode kid = build->kids.at[k].node;
		if (node_id(kid) == NODE_INTERPOLATION) {
			(void)build_attach(build, i, PART_NONE, kid);
		} else if (node_id(kid) == NODE_CONTENT) {
			uint32_t at = build_add(build, i, TREE_PIECE, kid);
			build->tree->nodes.at[at].level = raw;
			build->tree->nodes.at[at].op = format;
		}
	}
	build->kids.n = kids.from;
}

static void gather_strings(struct build *build, uint32_t i, TSNode node, struct kids kids)
{
	if (tree_at(build->tree, i)->kind != TREE_JOINED)
		return;
	if (node_id(node) == NODE_STRING) {
		gather_pieces(build, i, node);
		return;
	}
	for (size_t k = kids.from; k < kids.to; k++)
		if (node_id(build->kids.at[k].node) == NODE_STRING)
			gather_pieces(build, i, build->kids.at[k].node);
}

static void gather_interpolation(struct build *build, uint32_t i, struct kids kids)
{
	for (size_t k = kids.from; k < kids.to; k++) {
		TSNode kid = build->kids.at[k].node;
		if (node_id(kid) == NODE_CONVERSION || node_id(kid) == NODE_FORMAT)
			build->tree->nodes.at[i].op = '!';
		(void)build_attach(build, i, PART_VALUE, kid);
	}
}

void build_gathered(struct build *build, uint32_t i, TSNode node, struct kids kids)
{
	switch (node_id(node)) {
	case NODE_PARAMETERS:
	case NODE_LAMBDA_PARAMETERS:
		gather_parameters(build, i, kids);
		return;
	case NODE_CALL:
		gather_call(build, i, node);
		return;
	case NODE_DICT:
		gather_dict(build, i, kids);
		return;
	case NODE_LIST_COMPREHENSION:
	case NODE_SET_COMPREHENSION:
	case NODE_DICT_COMPREHENSION:
	case NODE_GENERATOR:
		gather_comprehension(build, i, kids);
		return;
	case NODE_STRING:
	case NODE_CONCATENATED:
		gather_strings(build, i, node, kids);
		return;
	default: /* an interpolation */
		gather_interpolation(build, i, kids);
	}
}
