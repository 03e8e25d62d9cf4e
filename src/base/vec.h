/*
 * vec.h: growable arrays in an arena, one macro for each element type.
 *
 * VEC(struct rule, rule_vec) defines `struct rule_vec { struct rule *at; size_t n, room; }` and
 * `struct rule *rule_vec_add(struct rule_vec *, struct arena *)`, which returns a zeroed new last
 * element or NULL when the arena's ceiling is reached. Elements move when the array grows: keep
 * indices, not pointers. Old arrays stay in the arena until it is done (at most twice the final size).
 */
#ifndef COFFER_BASE_VEC_H
#define COFFER_BASE_VEC_H

#include "base/arena.h"

#include <string.h>

#define VEC(T, name)                                                                             \
	struct name {                                                                            \
		T *at;                                                                           \
		size_t n, room;                                                                  \
	};                                                                                       \
	__attribute__((unused)) static inline T *name##_add(struct name *v, struct arena *arena) \
	{                                                                                        \
		if (v->n == v->room) {                                                           \
			size_t room = v->room ? v->room * 2 : 8;                                 \
			T *at = arena_array(arena, room, sizeof(T));                             \
			if (!at)                                                                 \
				return NULL;                                                     \
			if (v->n)                                                                \
				memcpy(at, v->at, v->n * sizeof(T));                             \
			v->at = at;                                                              \
			v->room = room;                                                          \
		}                                                                                \
		memset(&v->at[v->n], 0, sizeof(T));                                              \
		return &v->at[v->n++];                                                           \
	}

VEC(const char *, text_vec)

#endif
