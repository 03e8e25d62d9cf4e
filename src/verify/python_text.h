/* python_text.h: the texts that a Python program puts together where one can see it: literals, sums, f-strings, a few methods. */
#ifndef COFFER_VERIFY_PYTHON_TEXT_H
#define COFFER_VERIFY_PYTHON_TEXT_H

#include "verify/python_world.h"

/* A literal, or several in a row, in these bytes of the source. Each gives an atom: a text, or that it is unknown. */
uint32_t python_text_literal(struct world *world, uint32_t start, uint32_t end);
uint32_t python_text_joined(struct world *world, uint32_t i);
uint32_t python_text_sum(struct world *world, uint32_t i);
uint32_t python_text_slice(struct world *world, const char *text, const struct tree_node *slice);
uint32_t python_text_chr(struct world *world, uint32_t argument);
/* text.method(first, second): `method` is the attribute's node. */
uint32_t python_text_method(struct world *world, uint32_t method, uint32_t first, uint32_t second);

#endif
