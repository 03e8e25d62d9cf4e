/* python_tree.h: from tree-sitter's syntax tree of a Python program to the shape that CPython's ast gives it. */
#ifndef COFFER_VERIFY_PYTHON_TREE_H
#define COFFER_VERIFY_PYTHON_TREE_H

#include "verify/tree.h"

#include <tree_sitter/api.h>

/* ret_tree->text and text_n are set by the caller. -ENOMEM when the arena is full. */
int python_tree(const TSTree *parsed, struct arena *arena, struct tree *ret_tree);

#endif
