/* What expressions are worth: one pass over the nodes, the last one first, so that a node's parts are known before it is. */
#include "verify/python_text.h"
#include "verify/python_world.h"

#include "base/own.h"

enum { ARGUMENTS_MAX = 8 };

static const struct tree_node *node_at(const struct world *world, uint32_t i)
{
	return tree_at(world->tree, i);
}

static uint32_t value_of(const struct world *world, uint32_t i)
{
	return i ? world->value[i] : ATOM_NOTHING;
}

/* ---- names and attributes ---- */

/* Modules that are other modules' attributes under their own names: shutil.os is os. */
static bool is_module_word(const char *name, size_t n)
{
	static const char *const words[] = {
		"os", "sys", "subprocess", "builtins", "importlib", "socket", "shutil", "ctypes", "io", "posix"
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i]) == n && memcmp(words[i], name, n) == 0)
			return true;
	return false;
}

static bool starts(const struct atom *atom, const char *module)
{
	size_t n = strlen(module);
	return atom->n >= n && memcmp(atom->text, module, n) == 0 && (atom->n == n || atom->text[n] == '.');
}

/* The documented name of what has another as well. */
static uint32_t canonical(struct world *world, const char *path, size_t n)
{
	static const char *const twins[][2] = { { "posix", "os" },
		                                { "nt", "os" },
		                                { "__builtin__", "builtins" },
		                                { "io.open", "builtins.open" },
		                                { "_io.open", "builtins.open" },
		                                { "codecs.open", "builtins.open" },
		                                { "_io", "io" },
		                                { "os.fdopen", "builtins.open" },
		                                { "builtins.__builtins__", "builtins" },
		                                { "pathlib.PosixPath", "pathlib.Path" },
		                                { "_imp", "imp" },
		                                { "_operator", "operator" },
		                                { "_functools", "functools" } };
	const struct atom atom = { .text = path, .n = (uint32_t)n };

	for (size_t i = 0; i < ARRAY_LEN(twins); i++) {
		size_t old = strlen(twins[i][0]);
		char *text = starts(&atom, twins[i][0])
		                 ? arena_printf(world->judge->arena, "%s%.*s", twins[i][1], (int)(n - old), path + old)
		                 : NULL;
		if (text)
			return world_path(world, text, strlen(text));
	}
	return world_path(world, path, n);
}

uint32_t world_attribute(struct world *world, uint32_t object, const char *name, size_t n)
{
	const struct atom *atom = world_atom(world, object);
	size_t skip = n > 0 && name[0] == '_' && n > 1 && name[1] != '_';
	char *text;

	if (object < ATOM_FIRST || atom->kind != ATOM_PATH)
		return value_of(world, 0);
	if (is_module_word(name + skip, n - skip) && !starts(atom, name))
		return canonical(world, name + skip, n - skip);
	if (n == 8 && memcmp(name, "__dict__", 8) == 0) /* os.__dict__["system"] is os.system */
		return object;
	text = arena_printf(world->judge->arena, "%.*s.%.*s", (int)atom->n, atom->text, (int)n, name);
	return text ? canonical(world, text, strlen(text)) : ATOM_UNKNOWN;
}

/* A name that the program does not bind: of a module whose names were all imported, or a builtin. */
static uint32_t foreign(struct world *world, const char *name, uint32_t n)
{
	for (size_t i = 0; i < world->stars.n; i++) {
		uint32_t module = canonical(world, world->stars.at[i], strlen(world->stars.at[i]));
		uint32_t atom = world_attribute(world, module, name, n);
		const struct atom *found = world_atom(world, atom);
		if (atom >= ATOM_FIRST && (found->rule != RULE_NONE || found->leads))
			return atom;
	}
	return n == 12 && memcmp(name, "__builtins__", 12) == 0 ? world_path(world, "builtins", 8)
	                                                        : world_attribute(world, world_path(world, "builtins", 8), name, n);
}

static uint32_t name_value(struct world *world, uint32_t i)
{
	const struct tree_node *node = node_at(world, i);
	uint32_t symbol = world_lookup(world, world->scope[i], node->name, node->name_n), builtin;
	const struct symbol *found = &world->symbols.at[symbol];

	if (!symbol)
		return foreign(world, node->name, node->name_n);
	if (found->scope != SCOPE_MODULE || node->start >= found->first || world->scope[i] != SCOPE_MODULE)
		return found->value;
	builtin = foreign(world, node->name, node->name_n);
	return world_join(world, found->value, builtin);
}

static uint32_t attribute_value(struct world *world, uint32_t i)
{
	const struct tree_node *node = node_at(world, i);
	uint32_t object = value_of(world, node->first), symbol;

	if (object >= ATOM_FIRST && world_atom(world, object)->kind == ATOM_PATH)
		return world_attribute(world, object, node->name, node->name_n);
	symbol = world_symbol(world, SCOPE_ATTRIBUTES, node->name, node->name_n);
	return symbol ? world->symbols.at[symbol].value : ATOM_NOTHING;
}

/* globals()["x"] */
static uint32_t global_value(struct world *world, const char *name)
{
	uint32_t symbol = world_lookup(world, SCOPE_MODULE, name, (uint32_t)strlen(name));
	return symbol ? world->symbols.at[symbol].value : foreign(world, name, (uint32_t)strlen(name));
}

static uint32_t item_value(struct world *world, uint32_t object, uint32_t item)
{
	const char *text = world_text_of(world, item);

	if (!text)
		return object;
	if (world_is_path(world, object, "@globals"))
		return global_value(world, text);
	if (world_is_path(world, object, "sys.modules"))
		return canonical(world, text, strlen(text));
	if (object >= ATOM_FIRST && world_atom(world, object)->kind == ATOM_PATH && world_atom(world, object)->leads)
		return world_join(world, object, world_attribute(world, object, text, strlen(text)));
	return object;
}

static uint32_t subscript_value(struct world *world, uint32_t i)
{
	uint32_t object = node_at(world, i)->first, item = object ? node_at(world, object)->next : 0;
	const struct tree_node *slice = item ? node_at(world, item) : NULL;
	const char *text = world_text_of(world, value_of(world, object));

	if (text && slice && slice->kind == TREE_SLICE)
		return python_text_slice(world, text, slice);
	if (text)
		return ATOM_UNKNOWN;
	return item_value(world, value_of(world, object), value_of(world, item));
}

/* ---- calls ---- */

struct arguments {
	uint32_t at[ARGUMENTS_MAX]; /* nodes */
	size_t n;
};

static struct arguments arguments_of(const struct world *world, uint32_t call)
{
	struct arguments arguments = { .n = 0 };
	uint32_t child = node_at(world, call)->first;

	while (child && arguments.n < ARGUMENTS_MAX && (child = node_at(world, child)->next))
		arguments.at[arguments.n++] = child;
	return arguments;
}

static uint32_t argument(const struct world *world, const struct arguments *arguments, size_t i)
{
	return i < arguments->n ? value_of(world, arguments->at[i]) : ATOM_NOTHING;
}

/* Which parameter takes argument number n: by its name, by its place, or one with stars. 0: none. */
static uint32_t parameter_for(const struct world *world, uint32_t first, uint32_t argument, size_t n)
{
	const struct tree_node *node = node_at(world, argument);
	bool named = node->kind == TREE_KEYWORD;
	uint32_t starred = 0;
	size_t at = 0;

	for (uint32_t i = first; i; i = node_at(world, i)->next, at++) {
		const struct tree_node *parameter = node_at(world, i);
		if (parameter->kind != TREE_PARAMETER)
			continue;
		if (parameter->level == (named ? 2 : 1))
			starred = i;
		if (named ? parameter->name_n == node->name_n && memcmp(parameter->name, node->name, node->name_n) == 0 : at == n)
			return i;
	}
	return starred;
}

/* What is handed over positionally, or by name, is what the parameter may be. */
static uint32_t call_function(struct world *world, const struct atom *function, const struct arguments *arguments)
{
	uint32_t node = function->node, inner = 0, parameters = node_at(world, node)->first, scope;
	size_t i = 0;

	if (node_at(world, node)->kind == TREE_CLASS || !parameters)
		return ATOM_UNKNOWN;
	for (uint32_t child = parameters; child; child = node_at(world, child)->next)
		if (node_at(world, child)->part == PART_BODY)
			inner = child;
	scope = inner ? world->scope[inner] : SCOPE_MODULE;
	parameters = node_at(world, parameters)->kind == TREE_ARGUMENTS ? node_at(world, parameters)->first : 0;
	for (; i < arguments->n; i++) {
		uint32_t to = parameter_for(world, parameters, arguments->at[i], i);
		const struct tree_node *parameter = node_at(world, to);
		uint32_t symbol = to ? world_symbol(world, scope, parameter->name, parameter->name_n) : 0;
		if (symbol && value_of(world, arguments->at[i]) != ATOM_NOTHING)
			world_set(world, symbol, value_of(world, arguments->at[i]));
	}
	return scope == SCOPE_MODULE ? ATOM_UNKNOWN : world->scopes.at[scope].returns;
}

/* import_module("os"); __import__("os.path") is os. */
static uint32_t import_value(struct world *world, uint32_t function, const struct arguments *arguments)
{
	const char *text = world_text_of(world, argument(world, arguments, 0));
	const char *dot = text && !world_is_path(world, function, "importlib.import_module") && arguments->n < 4 ? strchr(text, '.') : NULL;

	return text ? canonical(world, text, dot ? (size_t)(dot - text) : strlen(text)) : ATOM_UNKNOWN;
}

static uint32_t getter_value(struct world *world, const struct arguments *arguments)
{
	const char *text = world_text_of(world, argument(world, arguments, 0));
	const char *made = text ? arena_printf(world->judge->arena, "@get.%s", text) : NULL;

	return made ? world_path(world, made, strlen(made)) : ATOM_UNKNOWN;
}

/* a.b.c of an object, as attrgetter takes it. */
static uint32_t dotted_value(struct world *world, uint32_t object, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, ".");
		object = world_attribute(world, object, path, n);
		path += n + (path[n] == '.');
	}
	return object;
}

static uint32_t vars_value(struct world *world, const struct arguments *arguments)
{
	return arguments->n > 0 ? argument(world, arguments, 0) : world_path(world, "@globals", 8);
}

static uint32_t call_library(struct world *world, uint32_t function, const struct arguments *arguments)
{
	const struct atom *atom = world_atom(world, function);
	const char *text = world_text_of(world, argument(world, arguments, 1));

	if (world_is_path(world, function, "builtins.getattr"))
		return text ? dotted_value(world, argument(world, arguments, 0), text) : ATOM_UNKNOWN;
	if (world_is_path(world, function, "builtins.__import__") || starts(atom, "importlib.import_module") ||
	    starts(atom, "importlib.__import__"))
		return import_value(world, function, arguments);
	if (world_is_path(world, function, "builtins.vars") || world_is_path(world, function, "builtins.globals") ||
	    world_is_path(world, function, "builtins.locals"))
		return vars_value(world, arguments);
	if (starts(atom, "functools.partial") || world_is_path(world, function, "builtins.next") ||
	    world_is_path(world, function, "builtins.iter") || world_is_path(world, function, "builtins.list") ||
	    world_is_path(world, function, "builtins.tuple"))
		return argument(world, arguments, 0);
	if (starts(atom, "operator.attrgetter") || starts(atom, "operator.methodcaller"))
		return getter_value(world, arguments);
	if (atom->n > 5 && memcmp(atom->text, "@get.", 5) == 0)
		return dotted_value(world, argument(world, arguments, 0), atom->text + 5);
	if (world_is_path(world, function, "builtins.chr"))
		return python_text_chr(world, arguments->n > 0 ? arguments->at[0] : 0);
	if (world_is_path(world, function, "builtins.str"))
		return argument(world, arguments, 0);
	return world_is_path(world, function, "pathlib.Path") ? function : ATOM_UNKNOWN;
}

/* os.__dict__.get("system"), os.__getattribute__("system"): the same as a subscript. */
static bool is_getter(const struct world *world, uint32_t function)
{
	static const char *const getters[] = { "get", "pop", "setdefault", "__getitem__", "__getattribute__", "__getattr__" };

	for (size_t i = 0; i < ARRAY_LEN(getters); i++)
		if (node_at(world, function)->kind == TREE_ATTRIBUTE && tree_is_named(world->tree, function, getters[i]))
			return true;
	return false;
}

static uint32_t call_value(struct world *world, uint32_t i)
{
	struct arguments arguments = arguments_of(world, i);
	uint32_t called = node_at(world, i)->first, function = value_of(world, called), object = called ? node_at(world, called)->first : 0;

	if (called && is_getter(world, called) && value_of(world, object) >= ATOM_FIRST &&
	    world_atom(world, value_of(world, object))->kind == ATOM_PATH && world_text_of(world, argument(world, &arguments, 0)))
		return item_value(world, value_of(world, object), argument(world, &arguments, 0));
	if (called && node_at(world, called)->kind == TREE_ATTRIBUTE && world_text_of(world, value_of(world, object)))
		return python_text_method(world, called, arguments.n > 0 ? arguments.at[0] : 0, arguments.n > 1 ? arguments.at[1] : 0);
	if (function < ATOM_FIRST)
		return ATOM_UNKNOWN;
	if (world_atom(world, function)->kind == ATOM_FUNCTION)
		return call_function(world, world_atom(world, function), &arguments);
	return world_atom(world, function)->kind == ATOM_PATH ? call_library(world, function, &arguments) : ATOM_UNKNOWN;
}

/* ---- the rest ---- */

static uint32_t join_parts(const struct world *world, uint32_t i, bool values_only)
{
	uint32_t value = ATOM_NOTHING;

	for (uint32_t child = node_at(world, i)->first; child; child = node_at(world, child)->next)
		if (!values_only || node_at(world, child)->part == PART_VALUE)
			value = world_join(world, value, value_of(world, child));
	return value;
}

static void note_return(struct world *world, uint32_t i)
{
	struct scope *scope = &world->scopes.at[world->scope[i]];
	uint32_t joined = world_join(world, scope->returns, value_of(world, node_at(world, i)->first));

	world->changed = world->changed || joined != scope->returns;
	scope->returns = joined;
}

static uint32_t lambda_value(struct world *world, uint32_t i)
{
	for (uint32_t child = node_at(world, i)->first; child; child = node_at(world, child)->next)
		if (node_at(world, child)->part == PART_BODY)
			world->scopes.at[world->scope[child]].returns =
			    world_join(world, world->scopes.at[world->scope[child]].returns, value_of(world, child));
	return world_function(world, i);
}

static uint32_t simple_value(struct world *world, uint32_t i)
{
	const struct tree_node *node = node_at(world, i);

	switch (node->kind) {
	case TREE_STRING:
		return python_text_literal(world, node->start, node->end);
	case TREE_JOINED:
		return python_text_joined(world, i);
	case TREE_BINARY:
		return python_text_sum(world, i);
	case TREE_LIST:
	case TREE_STARRED:
	case TREE_AWAIT:
	case TREE_KEYWORD:
	case TREE_YIELD:
		return join_parts(world, i, false);
	case TREE_COMPREHENSION:
		return value_of(world, node->first);
	case TREE_CONDITIONAL:
	case TREE_BOOLEAN:
	case TREE_DICT:
	case TREE_NAMED:
		return join_parts(world, i, true);
	case TREE_INTERPOLATION:
		return node->op ? ATOM_UNKNOWN : value_of(world, node->first);
	default:
		return world->value[i];
	}
}

static uint32_t evaluate(struct world *world, uint32_t i)
{
	switch (node_at(world, i)->kind) {
	case TREE_NAME:
		return name_value(world, i);
	case TREE_ATTRIBUTE:
		return attribute_value(world, i);
	case TREE_SUBSCRIPT:
		return subscript_value(world, i);
	case TREE_CALL:
		return call_value(world, i);
	case TREE_LAMBDA:
		return lambda_value(world, i);
	case TREE_RETURN:
		note_return(world, i);
		return ATOM_NOTHING;
	default:
		return simple_value(world, i);
	}
}

void world_evaluate(struct world *world)
{
	for (uint32_t i = (uint32_t)world->tree->nodes.n - 1; i > 0; i--)
		world->value[i] = evaluate(world, i);
}
