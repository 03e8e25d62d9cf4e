/*
 * tree.h: a program as the rules see it: the shape that CPython's ast gives a Python program, in one array.
 *
 * A parent stands before its children, so a loop from the end to the beginning sees children first, and none of the walks recurses. Children are linked in
 * the order of ast's fields, so a queue that starts at node 0 visits what ast.walk visits, in its order. What has no part in any rule (operators, contexts,
 * patterns of match) is left out.
 */
#ifndef COFFER_VERIFY_TREE_H
#define COFFER_VERIFY_TREE_H

#include "base/arena.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum tree_kind {
	TREE_OTHER,
	TREE_MODULE,
	TREE_IMPORT,      /* children: ALIAS */
	TREE_IMPORT_FROM, /* name: the module without its dots; level: how many dots; children: ALIAS, or none for a star */
	TREE_ALIAS,       /* name, and the name it gets: a NAME child */
	TREE_FUNCTION,    /* name; ARGUMENTS, body, decorators, returns */
	TREE_CLASS,
	TREE_LAMBDA,
	TREE_ARGUMENTS,
	TREE_PARAMETER,     /* name; annotation */
	TREE_COMPREHENSION, /* what is made, then each GENERATOR */
	TREE_GENERATOR,     /* target, iterable, conditions */
	TREE_ASSIGN,        /* targets and, last, the value */
	TREE_ANNOTATED,     /* target, annotation, perhaps a value */
	TREE_AUGMENTED,
	TREE_NAMED, /* target := value */
	TREE_FOR,
	TREE_WITH_ITEM,
	TREE_HANDLER, /* except: type, name it gets (a NAME), body */
	TREE_GLOBAL,  /* children: NAME */
	TREE_NONLOCAL,
	TREE_RETURN,
	TREE_YIELD,
	TREE_DELETE,
	TREE_CALL,      /* what is called, arguments, KEYWORD */
	TREE_ATTRIBUTE, /* name; what it is of */
	TREE_SUBSCRIPT, /* of what, which */
	TREE_SLICE,
	TREE_NAME,
	TREE_STRING, /* literal, or several that stand beside each other: the source says what */
	TREE_JOINED, /* f-string: PIECE and INTERPOLATION */
	TREE_PIECE,
	TREE_INTERPOLATION,
	TREE_NUMBER,
	TREE_BINARY, /* op: its character; of two the first one */
	TREE_UNARY,
	TREE_BOOLEAN,
	TREE_CONDITIONAL, /* test, then, else */
	TREE_LIST,        /* tuples and sets as well */
	TREE_DICT,        /* keys, then values */
	TREE_KEYWORD,     /* name (none: **); value */
	TREE_STARRED,
	TREE_AWAIT,
};

/* Which part of its parent a child is, where that matters. */
enum tree_part { PART_NONE, PART_BODY, PART_DECORATOR, PART_RETURNS, PART_DEFAULT, PART_TARGET, PART_VALUE, PART_TYPE };

struct tree_node {
	uint8_t kind, part, op, level;      /* level of FROM; for PIECE: 1 is raw; for PARAMETER: stars */
	uint32_t parent, first, last, next; /* 0: none, for the module is nobody's child */
	uint32_t start, end;                /* bytes of the source */
	uint32_t name_n;
	const char *name; /* as the language compares it; name_n bytes, in the source or the arena */
	uint32_t link;    /* PARAMETER: its default, or 0 */
};

VEC(struct tree_node, tree_node_vec)

struct tree {
	const char *text;
	size_t text_n;
	struct tree_node_vec nodes; /* 0 is the module */
};

static inline const struct tree_node *tree_at(const struct tree *tree, uint32_t i)
{
	return &tree->nodes.at[i];
}

/* Adds a last child. Returns its number, or 0 without memory. */
uint32_t tree_add(struct tree *tree, struct arena *arena, uint32_t parent, enum tree_kind kind);

/* Is the name of node i this word? */
bool tree_is_named(const struct tree *tree, uint32_t i, const char *word);

/* Child number n of node i; 0: there is none. */
uint32_t tree_child(const struct tree *tree, uint32_t i, unsigned n);

#endif
