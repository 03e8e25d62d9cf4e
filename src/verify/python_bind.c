/* Which scope each node is in, and what is bound where. */
#include "verify/python_world.h"

enum { NESTING_MAX = 16 };

static const struct tree_node *node_at(const struct world *world, uint32_t i)
{
	return tree_at(world->tree, i);
}

static bool makes_scope(const struct tree_node *node)
{
	return node->kind == TREE_FUNCTION || node->kind == TREE_LAMBDA || node->kind == TREE_CLASS || node->kind == TREE_COMPREHENSION;
}

static uint32_t add_scope(struct world *world, uint32_t node)
{
	struct scope *scope = scope_vec_add(&world->scopes, world->judge->arena);

	world->judge->failed = world->judge->failed || !scope;
	if (!scope)
		return SCOPE_MODULE;
	*scope = (struct scope){ .parent = world->scope[node], .node = node };
	return (uint32_t)(world->scopes.n - 1);
}

/* Is a child evaluated inside the scope that its parent makes? Not decorators, defaults, bases, nor what the first `for` of a comprehension goes over. */
static bool is_inside(const struct tree_node *child)
{
	return child->part == PART_BODY || child->kind == TREE_GENERATOR;
}

static void place_nodes(struct world *world)
{
	uint32_t *inner = arena_array(world->judge->arena, world->tree->nodes.n, sizeof(*inner));

	world->judge->failed = world->judge->failed || !inner;
	for (uint32_t i = 1; inner && i < world->tree->nodes.n; i++) {
		const struct tree_node *node = node_at(world, i), *above = node_at(world, node->parent);
		bool first = above->kind == TREE_GENERATOR && node->part == PART_VALUE;
		world->scope[i] = makes_scope(above) && is_inside(node) ? inner[node->parent] : world->scope[node->parent];
		/* the parent of the first generator: the comprehension, which is outside */
		if (first && tree_at(world->tree, above->parent)->kind == TREE_COMPREHENSION &&
		    node_at(world, node_at(world, above->parent)->first)->next == node->parent)
			world->scope[i] = world->scope[above->parent];
		if (makes_scope(node))
			inner[i] = add_scope(world, i);
		if (node->kind == TREE_ARGUMENTS)
			inner[i] = inner[node->parent];
	}
	/* kept for binding: a function's parameters are in the scope that it makes */
	for (uint32_t i = 1; inner && i < world->tree->nodes.n; i++)
		if (node_at(world, i)->kind == TREE_PARAMETER)
			world->scope[i] = inner[node_at(world, i)->parent];
}

static void add_edge(struct world *world, uint32_t symbol, uint32_t source, uint32_t atom)
{
	struct edge *edge = symbol ? edge_vec_add(&world->edges, world->judge->arena) : NULL;

	if (edge)
		*edge = (struct edge){ .symbol = symbol, .source = source, .atom = atom };
	else
		world->judge->failed = true;
}

static uint32_t bind_name(struct world *world, uint32_t scope, uint32_t i)
{
	const struct tree_node *node = node_at(world, i);
	uint32_t at = world_symbol(world, scope, node->name, node->name_n), meant;

	if (!at)
		return 0;
	if (world->symbols.at[at].first > node->start)
		world->symbols.at[at].first = node->start;
	meant = world->symbols.at[at].redirect;
	return meant ? meant : at;
}

/* A name that is bound to what node `source` is worth, or to an atom. In a class it is an attribute as well. */
static void bind(struct world *world, uint32_t scope, uint32_t i, struct edge what)
{
	const struct tree_node *node = node_at(world, i);

	add_edge(world, bind_name(world, scope, i), what.source, what.atom);
	if (node_at(world, world->scopes.at[scope].node)->kind == TREE_CLASS)
		add_edge(world, world_symbol(world, SCOPE_ATTRIBUTES, node->name, node->name_n), what.source, what.atom);
}

static unsigned count(const struct world *world, uint32_t i)
{
	unsigned n = 0;

	for (uint32_t child = node_at(world, i)->first; child; child = node_at(world, child)->next)
		n++;
	return n;
}

/* a, (b, c) = x: pairwise where both sides are written out; otherwise each may be anything of x. */
static void bind_target(struct world *world, uint32_t target, uint32_t source, unsigned depth)
{
	const struct tree_node *node = node_at(world, target);
	uint32_t scope = world->scope[target], of = node->first;

	if (node->kind == TREE_NAME) {
		while (node_at(world, node->parent)->kind == TREE_NAMED &&
		       node_at(world, world->scopes.at[scope].node)->kind == TREE_COMPREHENSION)
			scope = world->scopes.at[scope].parent;
		bind(world, scope, target, (struct edge){ .source = source });
	} else if (node->kind == TREE_ATTRIBUTE) {
		add_edge(world, world_symbol(world, SCOPE_ATTRIBUTES, node->name, node->name_n), source, 0);
	} else if (node->kind == TREE_SUBSCRIPT && node_at(world, of)->kind == TREE_NAME) {
		add_edge(world, bind_name(world, world->scope[of], of), source, 0);
	} else if (depth < NESTING_MAX && (node->kind == TREE_LIST || node->kind == TREE_STARRED)) {
		bool pairs = node_at(world, source)->kind == TREE_LIST && count(world, source) == count(world, target);
		uint32_t other = pairs ? node_at(world, source)->first : source;
		for (uint32_t child = node->first; child; child = node_at(world, child)->next) {
			bind_target(world, child, other, depth + 1);
			other = pairs ? node_at(world, other)->next : other;
		}
	}
}

static void bind_targets(struct world *world, uint32_t i)
{
	uint32_t value = 0;

	for (uint32_t child = node_at(world, i)->first; child; child = node_at(world, child)->next)
		if (node_at(world, child)->part == PART_VALUE)
			value = child;
	for (uint32_t child = node_at(world, i)->first; value && child; child = node_at(world, child)->next)
		if (node_at(world, child)->part == PART_TARGET)
			bind_target(world, child, value, 0);
}

/* ---- imports ---- */

static void bind_import(struct world *world, uint32_t alias)
{
	const struct tree_node *node = node_at(world, alias);
	const char *dot = memchr(node->name, '.', node->name_n);
	size_t n = node->first || !dot ? node->name_n : (size_t)(dot - node->name);

	world->value[alias] = world_path(world, node->name, node->name_n);
	if (node->first) {
		bind(world, world->scope[alias], node->first, (struct edge){ .atom = world->value[alias] });
	} else {
		uint32_t symbol = world_symbol(world, world->scope[alias], node->name, (uint32_t)n);
		uint32_t meant = symbol ? world->symbols.at[symbol].redirect : 0;
		if (symbol && world->symbols.at[symbol].first > node->start)
			world->symbols.at[symbol].first = node->start;
		add_edge(world, meant ? meant : symbol, 0, world_path(world, node->name, n));
	}
}

static void bind_import_from(struct world *world, uint32_t i)
{
	const struct tree_node *from = node_at(world, i);
	const char *module =
	    arena_printf(world->judge->arena, "%s%.*s", from->level ? "." : "", (int)from->name_n, from->name ? from->name : "");

	if (!module) {
		world->judge->failed = true;
		return;
	}
	if (!from->first) {
		const char **star = text_vec_add(&world->stars, world->judge->arena);
		if (star)
			*star = module;
	}
	world->value[i] = world_path(world, module, strlen(module));
	for (uint32_t alias = from->first; alias; alias = node_at(world, alias)->next) {
		const struct tree_node *node = node_at(world, alias);
		world->value[alias] = world_attribute(world, world->value[i], node->name, node->name_n);
		bind(world, world->scope[alias], node->first ? node->first : alias, (struct edge){ .atom = world->value[alias] });
	}
}

/* ---- the rest ---- */

static void declare(struct world *world, uint32_t i)
{
	const struct tree_node *node = node_at(world, i);
	uint32_t outer = node->kind == TREE_GLOBAL ? SCOPE_MODULE : world->scopes.at[world->scope[i]].parent;

	for (uint32_t child = node->first; child; child = node_at(world, child)->next) {
		const struct tree_node *name = node_at(world, child);
		uint32_t here = world_symbol(world, world->scope[i], name->name, name->name_n);
		uint32_t there = world_symbol(world, outer, name->name, name->name_n);
		if (here && there && here != there)
			world->symbols.at[here].redirect = world->symbols.at[there].redirect ? world->symbols.at[there].redirect : there;
	}
}

static void bind_parameter(struct world *world, uint32_t i)
{
	const struct tree_node *node = node_at(world, i);
	uint32_t symbol = world_symbol(world, world->scope[i], node->name, node->name_n);

	if (node->link)
		add_edge(world, symbol, node->link, 0);
}

static void bind_node(struct world *world, uint32_t i)
{
	switch (node_at(world, i)->kind) {
	case TREE_IMPORT:
		for (uint32_t alias = node_at(world, i)->first; alias; alias = node_at(world, alias)->next)
			bind_import(world, alias);
		return;
	case TREE_IMPORT_FROM:
		bind_import_from(world, i);
		return;
	case TREE_FUNCTION:
	case TREE_CLASS:
		bind(world, world->scope[i], i, (struct edge){ .atom = world_function(world, i) });
		return;
	case TREE_PARAMETER:
		bind_parameter(world, i);
		return;
	case TREE_ASSIGN:
	case TREE_ANNOTATED:
	case TREE_AUGMENTED:
	case TREE_NAMED:
	case TREE_FOR:
	case TREE_GENERATOR:
	case TREE_WITH_ITEM:
	case TREE_HANDLER:
		bind_targets(world, i);
		return;
	default:
		return;
	}
}

void world_bind(struct world *world)
{
	place_nodes(world);
	for (uint32_t i = 1; i < world->tree->nodes.n; i++)
		if (node_at(world, i)->kind == TREE_GLOBAL || node_at(world, i)->kind == TREE_NONLOCAL)
			declare(world, i);
	for (uint32_t i = 1; i < world->tree->nodes.n; i++)
		bind_node(world, i);
}
