/*
 * The strict mode for Python: the same concerns as Anvil's list, but about what names stand for rather than how they are written, and about the ways to a name
 * that no reading can follow.
 */
#include "verify/python_world.h"

#include "base/own.h"

/* Attributes that lead from any object into the interpreter. */
static const char *const internals[] = {
	"__subclasses__", "__globals__", "__builtins__",  "__code__",         "__closure__", "__bases__",    "__base__",
	"__mro__",        "gi_frame",    "gi_code",       "cr_frame",         "ag_frame",    "tb_frame",     "f_globals",
	"f_locals",       "f_builtins",  "f_back",        "f_code",           "co_code",     "func_globals", "func_code",
	"__self__",       "__reduce__",  "__reduce_ex__", "__getattribute__", "__loader__",
};
/* The same in a text, where a format string or a getattr in some library may find them. */
static const char *const in_texts[] = { "__subclasses__", "__globals__", "__builtins__", "__import__" };

static const struct tree_node *node_at(const struct world *world, uint32_t i)
{
	return tree_at(world->tree, i);
}

static bool is_path(const struct world *world, uint32_t atom)
{
	return atom >= ATOM_FIRST && world_atom(world, atom)->kind == ATOM_PATH;
}

static uint32_t child_value(const struct world *world, uint32_t i, unsigned n)
{
	uint32_t child = tree_child(world->tree, i, n);
	return child ? world->value[child] : ATOM_NOTHING;
}

/* ---- needs: what a policy would have to allow ---- */

static void need_of_rule(struct world *world, uint32_t i, enum verify_rule rule)
{
	static const enum verify_need needs[RULES_END] = {
		[RULE_PROCESS] = NEED_PROCESS, [RULE_NETWORK] = NEED_NETWORK, [RULE_WRITE] = NEED_WRITE,
		[RULE_READ] = NEED_READ,       [RULE_NATIVE] = NEED_NATIVE,   [RULE_ENVIRONMENT] = NEED_ENVIRONMENT,
	};
	const struct tree_node *node = node_at(world, i), *above = node_at(world, node->parent);
	bool called = above->kind == TREE_CALL && above->first == i;
	uint32_t first = called                          ? tree_child(world->tree, node->parent, 1)
	                 : above->kind == TREE_SUBSCRIPT ? tree_child(world->tree, node->parent, 1)
	                                                 : 0;

	if (rule == RULE_PROCESS || rule == RULE_NETWORK || rule == RULE_WRITE || rule == RULE_READ || rule == RULE_NATIVE ||
	    rule == RULE_ENVIRONMENT)
		judge_need(world->judge, needs[rule], first ? world_text_of(world, world->value[first]) : NULL,
		           judge_place(world->judge, i));
}

/* https://host/… in any text. */
static void need_host(struct world *world, uint32_t i)
{
	const char *text = world_text_of(world, world->value[i]), *host = text ? strstr(text, "://") : NULL;
	size_t n;

	if (!host || (strncmp(text, "http", 4) != 0 && strncmp(text, "ws", 2) != 0 && strncmp(text, "ftp", 3) != 0))
		return;
	host += 3;
	n = strcspn(host, "/?#:\\ ");
	if (n > 0 && n < 254 && !memchr(host, '@', n) && !memchr(host, '{', n) && !memchr(host, '%', n))
		judge_need(world->judge, NEED_HOST, arena_dup_n(world->judge->arena, host, n), judge_place(world->judge, i));
}

/* ---- findings ---- */

static bool is_named_one_of(const struct world *world, uint32_t i, const char *const *list, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (tree_is_named(world->tree, i, list[k]))
			return true;
	return false;
}

/* open(x, "w"): what the mode says; a mode that cannot be told is taken for writing. */
static enum verify_rule rule_of_open(const struct world *world, uint32_t i)
{
	const struct tree_node *node = node_at(world, i), *above = node_at(world, node->parent);
	unsigned place = world_is_path(world, world->value[i], "builtins.open") ? 2 : 1; /* of the mode */
	uint32_t mode = above->kind == TREE_CALL && above->first == i ? tree_child(world->tree, node->parent, place) : 0;
	const char *text;

	if (above->kind != TREE_CALL || above->first != i)
		return RULE_WRITE; /* it is handed on, and who knows what for */
	for (uint32_t child = above->first; child; child = node_at(world, child)->next) {
		if (node_at(world, child)->kind == TREE_KEYWORD &&
		    (tree_is_named(world->tree, child, "mode") || node_at(world, child)->name_n == 0))
			mode = child;
		if (node_at(world, child)->kind == TREE_STARRED)
			return RULE_WRITE;
	}
	if (!mode ||
	    (node_at(world, mode)->kind == TREE_KEYWORD && node_at(world, mode)->name_n > 0 && !tree_is_named(world->tree, mode, "mode")))
		return RULE_READ;
	text = world_text_of(world, world->value[mode]);
	return text && !strpbrk(text, "wax+") ? RULE_READ : RULE_WRITE;
}

static enum verify_rule rule_at(const struct world *world, uint32_t i)
{
	uint32_t atom = world->value[i];

	if (!is_path(world, atom))
		return RULE_NONE;
	if (world_is_path(world, atom, "builtins.open") || world_is_path(world, atom, "pathlib.Path.open"))
		return rule_of_open(world, i);
	return world_atom(world, atom)->rule;
}

/* Is the node only the way to another one, which will be told? */
static bool is_on_the_way(const struct world *world, uint32_t i)
{
	const struct tree_node *node = node_at(world, i), *above = node_at(world, node->parent);
	bool way = above->first == i && (above->kind == TREE_ATTRIBUTE || above->kind == TREE_SUBSCRIPT);

	return node->part == PART_TARGET || above->kind == TREE_GLOBAL || above->kind == TREE_NONLOCAL || above->kind == TREE_ALIAS ||
	       above->kind == TREE_DELETE ||
	       (way && is_path(world, world->value[node->parent]) && rule_at(world, node->parent) != RULE_NONE);
}

static void tell_path(struct world *world, uint32_t i, enum verify_rule rule)
{
	const struct atom *atom = world_atom(world, world->value[i]);
	const struct tree_node *node = node_at(world, i);
	const char *written = world->tree->text + node->start;
	size_t n = node->end - node->start;
	bool same = n == atom->n && memcmp(written, atom->text, n) == 0;

	need_of_rule(world, i, rule);
	if (same || n > 80 || memchr(written, '\n', n))
		judge_find(world->judge, rule, judge_place(world->judge, i), "%.*s", (int)atom->n, atom->text);
	else
		judge_find(world->judge, rule, judge_place(world->judge, i), "%.*s, which is %.*s", (int)n, written, (int)atom->n,
		           atom->text);
}

static void judge_expression(struct world *world, uint32_t i)
{
	enum verify_rule rule = rule_at(world, i);

	if (rule != RULE_NONE && !is_on_the_way(world, i))
		tell_path(world, i, rule);
}

/* A literal that is the object of an attribute or a text method is looked at as a whole. */
static void judge_text(struct world *world, uint32_t i)
{
	const struct tree_node *node = node_at(world, i);
	const char *text = world_text_of(world, world->value[i]);
	uint8_t above = node_at(world, node->parent)->kind;
	bool statement = above == TREE_OTHER || above == TREE_BINARY; /* a docstring among others; the sum is looked at */

	need_host(world, i);
	for (size_t k = 0; text && !statement && k < ARRAY_LEN(in_texts); k++) {
		if (!strstr(text, in_texts[k]))
			continue;
		judge_find(world->judge, RULE_INTERNALS, judge_place(world->judge, i), "%s in a text", in_texts[k]);
		return;
	}
}

static bool is_internal_word(const char *text)
{
	for (size_t k = 0; k < ARRAY_LEN(internals); k++)
		if (strcmp(internals[k], text) == 0)
			return true;
	return false;
}

static bool leads(const struct world *world, uint32_t atom)
{
	return is_path(world, atom) && (world_atom(world, atom)->leads || world_atom(world, atom)->text[0] == '@');
}

/* getattr and its like, with a name that cannot be told, of something that leads to what has a rule; or of nobody knows what, when the name was put together. */
static void judge_reflection(struct world *world, uint32_t i)
{
	uint32_t object = child_value(world, i, 1), name = child_value(world, i, 2);
	const char *text = world_text_of(world, name);
	struct place place = judge_place(world->judge, i);

	if (text && is_internal_word(text))
		judge_find(world->judge, RULE_INTERNALS, place, "%s, by its name", text);
	else if (!text && leads(world, object))
		judge_find(world->judge, RULE_REFLECTION, place, "an attribute of %s that is only named when the program runs",
		           world_atom(world, object)->text);
	else if (!text && tree_child(world->tree, i, 2) && node_at(world, tree_child(world->tree, i, 2))->kind != TREE_NAME &&
	         node_at(world, tree_child(world->tree, i, 2))->kind != TREE_ATTRIBUTE && name == ATOM_UNKNOWN && object == ATOM_NOTHING)
		judge_find(world->judge, RULE_REFLECTION, place, "an attribute whose name is put together when the program runs");
}

static void judge_import_call(struct world *world, uint32_t i)
{
	if (!world_text_of(world, child_value(world, i, 1)))
		judge_find(world->judge, RULE_REFLECTION, judge_place(world->judge, i),
		           "an import of a module that is only named when the program runs");
}

/* globals() and its like: fine with a written subscript, which is resolved. */
static void judge_namespace(struct world *world, uint32_t i)
{
	const struct tree_node *above = node_at(world, node_at(world, i)->parent);
	bool item = above->kind == TREE_SUBSCRIPT && world_text_of(world, child_value(world, node_at(world, i)->parent, 1));

	if (!item && (!tree_child(world->tree, i, 1) || leads(world, child_value(world, i, 1))))
		judge_find(world->judge, RULE_REFLECTION, judge_place(world->judge, i), "all names of a namespace at once");
}

/* A module that leads to what has a rule is handed to code that is not followed from here. */
static bool is_followed(const struct world *world, uint32_t call)
{
	static const char *const known[] = { "builtins.getattr",  "builtins.hasattr",    "builtins.vars",    "builtins.type",
		                             "builtins.dir",      "builtins.isinstance", "builtins.print",   "builtins.repr",
		                             "builtins.str",      "builtins.id",         "builtins.setattr", "builtins.delattr",
		                             "functools.partial", "operator.attrgetter", "builtins.next",    "builtins.iter",
		                             "builtins.list",     "builtins.tuple",      "pathlib.Path",     "importlib.reload" };
	uint32_t function = child_value(world, call, 0);

	for (size_t k = 0; k < ARRAY_LEN(known); k++)
		if (world_is_path(world, function, known[k]))
			return true;
	return function >= ATOM_FIRST &&
	       (world_atom(world, function)->kind == ATOM_FUNCTION || world_atom(world, function)->text[0] == '@');
}

static void judge_arguments(struct world *world, uint32_t i)
{
	uint32_t first = node_at(world, i)->first;

	for (uint32_t child = first ? node_at(world, first)->next : 0; child; child = node_at(world, child)->next) {
		uint32_t atom = world->value[child];
		bool module = leads(world, atom) && !memchr(world_atom(world, atom)->text, '.', world_atom(world, atom)->n);
		if (module && node_at(world, child)->kind == TREE_NAME && !is_followed(world, i))
			judge_find(world->judge, RULE_REFLECTION, judge_place(world->judge, child),
			           "the module %s, handed to code that is not followed", world_atom(world, atom)->text);
	}
}

static void judge_call(struct world *world, uint32_t i)
{
	uint32_t function = child_value(world, i, 0);

	judge_arguments(world, i);
	if (!is_path(world, function))
		return;
	if (world_is_path(world, function, "builtins.getattr") || world_is_path(world, function, "builtins.setattr") ||
	    world_is_path(world, function, "builtins.delattr"))
		judge_reflection(world, i);
	else if (world_is_path(world, function, "builtins.__import__") || world_is_path(world, function, "importlib.import_module") ||
	         world_is_path(world, function, "importlib.__import__"))
		judge_import_call(world, i);
	else if (world_is_path(world, function, "builtins.globals") || world_is_path(world, function, "builtins.locals") ||
	         world_is_path(world, function, "builtins.vars"))
		judge_namespace(world, i);
}

static void judge_attribute(struct world *world, uint32_t i)
{
	static const char *const writers[] = { "write_text", "write_bytes" };

	if (is_named_one_of(world, i, internals, ARRAY_LEN(internals)))
		judge_find(world->judge, RULE_INTERNALS, judge_place(world->judge, i), ".%.*s", (int)node_at(world, i)->name_n,
		           node_at(world, i)->name);
	else if (!is_path(world, world->value[i]) && is_named_one_of(world, i, writers, ARRAY_LEN(writers)))
		judge_find(world->judge, RULE_WRITE, judge_place(world->judge, i), ".%.*s()", (int)node_at(world, i)->name_n,
		           node_at(world, i)->name);
}

/* sys.modules[x], os.__dict__[x], with an x that cannot be told. */
static void judge_subscript(struct world *world, uint32_t i)
{
	uint32_t object = child_value(world, i, 0);

	if (leads(world, object) && !world_text_of(world, child_value(world, i, 1)))
		judge_find(world->judge, RULE_REFLECTION, judge_place(world->judge, i),
		           "a part of %s that is only named when the program runs", world_atom(world, object)->text);
}

static void judge_node(struct world *world, uint32_t i)
{
	switch (node_at(world, i)->kind) {
	case TREE_CALL:
		judge_call(world, i);
		break;
	case TREE_ATTRIBUTE:
		judge_attribute(world, i);
		break;
	case TREE_SUBSCRIPT:
		judge_subscript(world, i);
		break;
	case TREE_STRING:
	case TREE_JOINED:
	case TREE_BINARY:
		judge_text(world, i);
		return;
	case TREE_NAME:
	case TREE_ALIAS:
		break;
	default:
		return;
	}
	judge_expression(world, i);
}

/* A coding cookie that is not ASCII's heir makes another program of the same bytes. */
static void judge_coding(struct judge *judge)
{
	const char *text = judge->tree.text, *end = text + judge->tree.text_n, *line = text;

	for (unsigned i = 0; i < 2 && line < end; i++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line)), *stop = newline ? newline : end;
		const char *coding = memmem(line, (size_t)(stop - line), "coding", 6), *name = coding ? coding + 6 : NULL;
		if (name && memchr(line, '#', (size_t)(name - line)) && name < stop && (*name == ':' || *name == '=')) {
			name += 1 + strspn(name + 1, " \t");
			if (strncasecmp(name, "utf", 3) != 0 && strncasecmp(name, "ascii", 5) != 0 && strncasecmp(name, "latin", 5) != 0 &&
			    strncasecmp(name, "iso", 3) != 0)
				judge_find(judge, RULE_UNREADABLE, (struct place){ (uint32_t)(line - text), (uint32_t)(stop - text) },
				           "an encoding that is not read");
			else if (strncasecmp(name, "utf-7", 5) == 0 || strncasecmp(name, "utf_7", 5) == 0 ||
			         strncasecmp(name, "utf7", 4) == 0)
				judge_find(judge, RULE_UNREADABLE, (struct place){ (uint32_t)(line - text), (uint32_t)(stop - text) },
				           "an encoding that is not read");
		}
		line = stop + 1;
	}
}

void python_strict(struct judge *judge)
{
	struct world world;

	judge_coding(judge);
	if (world_make(&world, judge) < 0) {
		judge->failed = true;
		return;
	}
	for (uint32_t i = 1; i < judge->tree.nodes.n; i++)
		judge_node(&world, i);
}
