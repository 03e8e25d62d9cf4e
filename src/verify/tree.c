#include "verify/tree.h"

uint32_t tree_add(struct tree *tree, struct arena *arena, uint32_t parent, enum tree_kind kind)
{
	uint32_t i = (uint32_t)tree->nodes.n;
	struct tree_node *node = tree_node_vec_add(&tree->nodes, arena), *above;
	if (!node)
		return 0;
	node->kind = (uint8_t)kind;
	node->parent = parent;
	if (i == 0)
		return 0;
	above = &tree->nodes.at[parent];
	if (above->last)
		tree->nodes.at[above->last].next = i;
	else
		above->first = i;
	above->last = i;
	return i;
}

bool tree_is_named(const struct tree *tree, uint32_t i, const char *word)
{
	const struct tree_node *node = tree_at(tree, i);
	return node->name_n == strlen(word) && memcmp(node->name, word, node->name_n) == 0;
}

uint32_t tree_child(const struct tree *tree, uint32_t i, unsigned n)
{
	uint32_t child = tree_at(tree, i)->first;
	while (n-- > 0 && child)
		child = tree_at(tree, child)->next;
	return child;
}
