/* python_build.h: the tree of a Python program while it is made; shared by the two files that make it. */
#ifndef COFFER_VERIFY_PYTHON_BUILD_H
#define COFFER_VERIFY_PYTHON_BUILD_H

#include "base/own.h"
#include "verify/tree.h"

#include <tree_sitter/api.h>

enum node_id {
	NODE_UNKNOWN,
#define NODE(id, type, way, kind) NODE_##id,
#include "verify/python_nodes.def"
#undef NODE
	NODES_END
};

/* The grammar's fields that are asked for, in the order of field_names. */
enum field_id {
	FIELD_NONE,
	FIELD_LEFT,
	FIELD_RIGHT,
	FIELD_TYPE,
	FIELD_VALUE,
	FIELD_ALIAS,
	FIELD_NAME,
	FIELD_MODULE,
	FIELD_CONDITION,
	FIELD_BODY,
	FIELD_FUNCTION,
	FIELD_ARGUMENTS,
	FIELD_ATTRIBUTE,
	FIELD_PARAMETERS,
	FIELD_KEY,
	FIELD_SUBSCRIPT,
	FIELD_SUPERCLASSES,
	FIELD_RETURNS,
	FIELD_SUBJECT,
};

struct kid {
	TSNode node;
	uint8_t field;
	bool named;
	uint32_t i; /* what it became, where somebody noted that */
};
VEC(struct kid, kid_vec)

struct item {
	TSNode node;
	uint32_t i; /* whose children are missing */
};
VEC(struct item, item_vec)

struct build {
	struct tree *tree;
	struct arena *arena;
	TSTreeCursor cursor;
	struct kid_vec kids; /* a stack: who puts some on it takes them off */
	struct item_vec items;
	bool failed;
};

struct kids {
	size_t from, to;
};

enum node_id node_id(TSNode node);
/* The children of a node, comments aside; they stay in build->kids until its n is set back to `from`. */
struct kids build_kids(struct build *build, TSNode node);
/* A node of ours alone, for what the grammar has no node for. Its children are attached to it, or later. */
uint32_t build_add(struct build *build, uint32_t parent, enum tree_kind kind, TSNode node);
void build_name(struct build *build, uint32_t i, TSNode node);
void build_name_at(struct build *build, uint32_t i, uint32_t start, uint32_t end);
void build_later(struct build *build, uint32_t i, TSNode node);
/* What a node of the grammar becomes, as a last child of parent. Returns its number; 0 when it becomes nothing, or several. */
uint32_t build_attach(struct build *build, uint32_t parent, enum tree_part part, TSNode node);
/* All children, as they stand. */
void build_plain(struct build *build, uint32_t i, TSNode node);
/* The children of those that are OWN in python_nodes.def. */
void build_own(struct build *build, uint32_t i, TSNode node);
/* Those of them that python_gather.c has: what ast keeps in another order than the source. */
void build_gathered(struct build *build, uint32_t i, TSNode node, struct kids kids);
/* What is in the parentheses of a call or a class: arguments, then keywords. */
void build_arguments(struct build *build, uint32_t i, TSNode arguments);
/* Is this letter in front of a string's quotes? */
bool build_prefix_has(const struct build *build, TSNode string, char lower);
/* Is a string, or a row of them, an f-string? */
bool build_is_joined(const struct build *build, TSNode node);

#endif
