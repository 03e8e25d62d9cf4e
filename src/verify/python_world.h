/*
 * python_world.h: what the names and expressions of a Python program stand for, as far as reading tells.
 *
 * An abstract value is one atom: a dotted path into the libraries ("os.system"), a text, a function of the program itself, or "something that only running it
 * would tell". A name that is assigned more than once has the most dangerous of its values, so a branch cannot hide one. Order of execution is not looked
 * at, but for names of builtins that are used before the program gives them another meaning.
 */
#ifndef COFFER_VERIFY_PYTHON_WORLD_H
#define COFFER_VERIFY_PYTHON_WORLD_H

#include "verify/judge.h"

#define RULE_NONE RULES_END
enum { ATOM_NOTHING, ATOM_UNKNOWN, ATOM_FIRST }; /* numbers of atoms */

enum atom_kind { ATOM_TEXT, ATOM_FUNCTION, ATOM_PATH };

struct atom {
	enum atom_kind kind;
	const char *text;
	uint32_t n;            /* of TEXT and PATH */
	uint32_t node;         /* of FUNCTION */
	enum verify_rule rule; /* of PATH; RULE_NONE */
	bool leads;            /* PATH: something below it has a rule */
};
VEC(struct atom, atom_vec)

struct scope {
	uint32_t parent, node;
	uint32_t returns; /* atom */
};
VEC(struct scope, scope_vec)

struct symbol {
	const char *name;
	uint32_t name_n, scope, value;
	uint32_t first;    /* byte where it is first bound */
	uint32_t redirect; /* global: the symbol that is meant, or 0 */
};
VEC(struct symbol, symbol_vec)

/* When the value of `source` is known, the symbol has it too. */
struct edge {
	uint32_t symbol, source, atom; /* source 0: the atom */
};
VEC(struct edge, edge_vec)

struct table {
	uint32_t *slots;
	size_t room, n;
};

struct world {
	struct judge *judge;
	const struct tree *tree;
	struct atom_vec atoms;
	struct scope_vec scopes;
	struct symbol_vec symbols;
	struct edge_vec edges;
	struct table atom_table, symbol_table;
	struct text_vec stars; /* modules of `from m import *` */
	uint32_t *scope;       /* of each node */
	uint32_t *value;       /* of each node */
	bool changed;
};

enum { SCOPE_MODULE, SCOPE_ATTRIBUTES }; /* the second has what is assigned to attributes of anything */

/* Works out scopes, bindings and values. -ENOMEM. */
int world_make(struct world *world, struct judge *judge);

uint32_t world_path(struct world *world, const char *text, size_t n);
uint32_t world_text(struct world *world, const char *text, size_t n);
uint32_t world_function(struct world *world, uint32_t node);
uint32_t world_join(const struct world *world, uint32_t a, uint32_t b);
const struct atom *world_atom(const struct world *world, uint32_t atom);
bool world_is_path(const struct world *world, uint32_t atom, const char *path);
/* The atom as text; NULL: it is none. */
const char *world_text_of(const struct world *world, uint32_t atom);

/* Finds or makes a symbol. 0: no memory. */
uint32_t world_symbol(struct world *world, uint32_t scope, const char *name, uint32_t n);
/* What a name means where it stands; 0: nothing in the program. */
uint32_t world_lookup(struct world *world, uint32_t scope, const char *name, uint32_t n);
void world_set(struct world *world, uint32_t symbol, uint32_t atom);

/* One pass of the values, from the leaves on. */
void world_evaluate(struct world *world);
/* object.name */
uint32_t world_attribute(struct world *world, uint32_t object, const char *name, size_t n);
/* Scopes and bindings. */
void world_bind(struct world *world);

#endif
