/*
 * links.h: symbolic links between a path that somebody wrote and the place where it leads. Private to src/compile.
 */
#ifndef COFFER_COMPILE_LINKS_H
#define COFFER_COMPILE_LINKS_H

#include "base/vec.h"

struct compile;

struct link {
	const char *place;  /* where the link itself is: all links above it resolved */
	const char *text;   /* what it holds */
	const char *target; /* what its text names, made absolute: one step, which may be a link again */
	const char *real;   /* where it leads in the end */
};
VEC(struct link, link_vec)

/* The links that a walk along path meets, from the top down, as far as the survey has looked. 0 or -ENOMEM with c->err. */
int links_on_way(struct compile *c, const char *path, struct link_vec *ret_links);

/*
 * The directory that the sandbox may change, or that it works in, from which a link on the way leads out; NULL when none does. Who writes
 * there chooses where such a path leads (a repository that holds out -> ~/.ssh), so it opens nothing.
 */
int links_leave(struct compile *c, const char *path, const char **ret_top);

#endif
