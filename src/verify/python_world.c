#include "verify/python_world.h"

#include "base/own.h"

#include <errno.h>
#include <string.h>

enum { PASSES_MAX = 8, TEXT_ATOM_MAX = 4096, CHAIN_MAX = 100, TABLE_FIRST = 1024 };

static const struct {
	const char *path;
	enum verify_rule rule;
} names[] = {
#define NAME(path, rule) { path, RULE_##rule },
#include "verify/python_names.def"
#undef NAME
};

/* ---- a hash table of numbers ---- */

static uint32_t hash(const char *text, size_t n, uint32_t seed)
{
	uint32_t h = seed * 0x9e3779b1u + 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)text[i]) * 16777619u;
	return h ^ (h >> 15);
}

/* Room for one more; what is in it is put in anew by `hash_of`. */
static bool make_room(struct world *world, struct table *table, uint32_t (*hash_of)(const struct world *, uint32_t))
{
	size_t room = table->room ? table->room * 2 : TABLE_FIRST;
	uint32_t *slots;

	if (table->n * 2 < table->room)
		return true;
	slots = arena_array(world->judge->arena, room, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < table->room; i++) {
		size_t at = table->slots[i] ? hash_of(world, table->slots[i]) & (room - 1) : 0;
		while (table->slots[i] && slots[at])
			at = (at + 1) & (room - 1);
		if (table->slots[i])
			slots[at] = table->slots[i];
	}
	table->slots = slots;
	table->room = room;
	return true;
}

/* ---- atoms ---- */

const struct atom *world_atom(const struct world *world, uint32_t atom)
{
	return &world->atoms.at[atom];
}

static uint32_t hash_atom(const struct world *world, uint32_t i)
{
	const struct atom *atom = world_atom(world, i);
	return atom->kind == ATOM_FUNCTION ? hash("", 0, atom->node) : hash(atom->text, atom->n, (uint32_t)atom->kind);
}

static bool is_same(const struct atom *a, const struct atom *b)
{
	return a->kind == b->kind && a->n == b->n && a->node == b->node && (a->n == 0 || memcmp(a->text, b->text, a->n) == 0);
}

/* "os" leads to "os.system"; "os.system" is at or above "os.system.x". */
static void classify(struct atom *atom)
{
	size_t longest = 0;

	atom->rule = RULE_NONE;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t n = strlen(names[i].path);
		if (n > atom->n)
			atom->leads = atom->leads || (names[i].path[atom->n] == '.' && memcmp(names[i].path, atom->text, atom->n) == 0);
		else if (n > longest && memcmp(names[i].path, atom->text, n) == 0 && (n == atom->n || atom->text[n] == '.')) {
			atom->rule = names[i].rule;
			longest = n;
		}
	}
}

static uint32_t intern(struct world *world, struct atom atom)
{
	struct table *table = &world->atom_table;
	struct atom *slot;
	size_t at;

	if (!make_room(world, table, hash_atom))
		return ATOM_UNKNOWN;
	at = (atom.kind == ATOM_FUNCTION ? hash("", 0, atom.node) : hash(atom.text, atom.n, (uint32_t)atom.kind)) & (table->room - 1);
	for (; table->slots[at]; at = (at + 1) & (table->room - 1))
		if (is_same(world_atom(world, table->slots[at]), &atom))
			return table->slots[at];
	slot = atom_vec_add(&world->atoms, world->judge->arena);
	if (!slot)
		return ATOM_UNKNOWN;
	*slot = atom;
	if (atom.kind != ATOM_FUNCTION)
		slot->text = arena_dup_n(world->judge->arena, atom.text, atom.n);
	if (atom.kind == ATOM_PATH)
		classify(slot);
	table->n++;
	return table->slots[at] = (uint32_t)(world->atoms.n - 1);
}

uint32_t world_path(struct world *world, const char *text, size_t n)
{
	return n > TEXT_ATOM_MAX ? ATOM_UNKNOWN
	                         : intern(world, (struct atom){ .kind = ATOM_PATH, .text = text, .n = (uint32_t)n, .rule = RULE_NONE });
}

uint32_t world_text(struct world *world, const char *text, size_t n)
{
	return n > TEXT_ATOM_MAX ? ATOM_UNKNOWN
	                         : intern(world, (struct atom){ .kind = ATOM_TEXT, .text = text, .n = (uint32_t)n, .rule = RULE_NONE });
}

uint32_t world_function(struct world *world, uint32_t node)
{
	return intern(world, (struct atom){ .kind = ATOM_FUNCTION, .node = node, .rule = RULE_NONE });
}

bool world_is_path(const struct world *world, uint32_t i, const char *path)
{
	const struct atom *atom = world_atom(world, i);
	return i >= ATOM_FIRST && atom->kind == ATOM_PATH && atom->n == strlen(path) && memcmp(atom->text, path, atom->n) == 0;
}

const char *world_text_of(const struct world *world, uint32_t i)
{
	return i >= ATOM_FIRST && world_atom(world, i)->kind == ATOM_TEXT ? world_atom(world, i)->text : NULL;
}

/* The higher one stays when two meet, so that values only rise and the passes come to an end. */
static unsigned rank(const struct world *world, uint32_t i)
{
	const struct atom *atom = world_atom(world, i);

	if (i == ATOM_NOTHING)
		return 0;
	if (i == ATOM_UNKNOWN)
		return 2;
	if (atom->kind != ATOM_PATH)
		return atom->kind == ATOM_TEXT ? 1 : 3;
	if (atom->rule == RULE_NONE)
		return atom->leads ? 5 : 4;
	return 6 + (unsigned)verify_rules[atom->rule].severity;
}

uint32_t world_join(const struct world *world, uint32_t a, uint32_t b)
{
	unsigned x = rank(world, a), y = rank(world, b);

	if (x == 1 && y == 1 && a != b)
		return ATOM_UNKNOWN;
	return y > x ? b : a;
}

/* ---- symbols ---- */

static uint32_t hash_symbol(const struct world *world, uint32_t i)
{
	const struct symbol *symbol = &world->symbols.at[i];
	return hash(symbol->name, symbol->name_n, symbol->scope);
}

static uint32_t *find_slot(const struct world *world, uint32_t scope, const char *name, uint32_t n)
{
	const struct table *table = &world->symbol_table;
	size_t at = hash(name, n, scope) & (table->room - 1);

	for (; table->slots[at]; at = (at + 1) & (table->room - 1)) {
		const struct symbol *symbol = &world->symbols.at[table->slots[at]];
		if (symbol->scope == scope && symbol->name_n == n && memcmp(symbol->name, name, n) == 0)
			break;
	}
	return &table->slots[at];
}

uint32_t world_symbol(struct world *world, uint32_t scope, const char *name, uint32_t n)
{
	struct symbol *symbol;
	uint32_t *slot;

	if (!make_room(world, &world->symbol_table, hash_symbol))
		return 0;
	slot = find_slot(world, scope, name, n);
	if (*slot)
		return *slot;
	symbol = symbol_vec_add(&world->symbols, world->judge->arena);
	if (!symbol)
		return 0;
	*symbol = (struct symbol){ .name = name, .name_n = n, .scope = scope, .first = UINT32_MAX };
	world->symbol_table.n++;
	return *slot = (uint32_t)(world->symbols.n - 1);
}

uint32_t world_lookup(struct world *world, uint32_t scope, const char *name, uint32_t n)
{
	uint32_t at = scope;

	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		bool is_class = tree_at(world->tree, world->scopes.at[at].node)->kind == TREE_CLASS;
		uint32_t symbol = is_class && at != scope ? 0 : *find_slot(world, at, name, n);
		if (symbol)
			return world->symbols.at[symbol].redirect ? world->symbols.at[symbol].redirect : symbol;
		if (at == SCOPE_MODULE)
			break;
		at = world->scopes.at[at].parent;
	}
	return 0;
}

void world_set(struct world *world, uint32_t i, uint32_t atom)
{
	struct symbol *symbol = &world->symbols.at[i];
	uint32_t joined = world_join(world, symbol->value, atom);

	world->changed = world->changed || joined != symbol->value;
	symbol->value = joined;
}

/* ---- all of it ---- */

static int begin(struct world *world, struct judge *judge)
{
	size_t n = judge->tree.nodes.n;
	bool ready;

	*world = (struct world){ .judge = judge, .tree = &judge->tree };
	world->scope = arena_array(judge->arena, n, sizeof(*world->scope));
	world->value = arena_array(judge->arena, n, sizeof(*world->value));
	ready = world->scope && world->value && symbol_vec_add(&world->symbols, judge->arena);
	for (unsigned i = 0; i < ATOM_FIRST; i++)
		ready = atom_vec_add(&world->atoms, judge->arena) && scope_vec_add(&world->scopes, judge->arena) && ready;
	return ready && world_symbol(world, SCOPE_ATTRIBUTES, "", 0) ? 0 : -ENOMEM;
}

static void follow_edges(struct world *world)
{
	for (size_t i = 0; i < world->edges.n; i++) {
		struct edge edge = world->edges.at[i];
		world_set(world, edge.symbol, edge.source ? world->value[edge.source] : edge.atom);
	}
}

int world_make(struct world *world, struct judge *judge)
{
	if (begin(world, judge) < 0)
		return -ENOMEM;
	world_bind(world);
	world->changed = true;
	for (unsigned i = 0; i < PASSES_MAX && world->changed; i++) {
		world->changed = false;
		world_evaluate(world);
		follow_edges(world);
	}
	return judge->failed ? -ENOMEM : 0;
}
