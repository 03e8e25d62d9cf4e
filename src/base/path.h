/*
 * path.h: path text, never the file system.
 *
 * A path is *normal* when it is absolute, has no empty, "." or ".." component and no trailing slash
 * ("/" itself is normal). Normalising is textual: it is right only for text that a person wrote, and
 * what it names is resolved later by openat2.
 */
#ifndef COFFER_BASE_PATH_H
#define COFFER_BASE_PATH_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { PATH_BYTES_MAX = 4095, PATH_NAME_MAX = 255, PATH_DEPTH_MAX = 2048 };

bool path_is_normal(const char *path);

/*
 * Makes `text` normal. "~" and "~/x" start at home, other relative text at base (both normal; home may
 * be NULL: then -EINVAL for "~"). Returns 0 and *ret_path in the arena; -EINVAL for empty text, "~user" or a `..`
 * above the root; -ENAMETOOLONG; -ENOMEM.
 */
int path_normalize(struct arena *arena, const char *text, const char *base, const char *home, const char **ret_path);

/* Is `path` equal to `top` or below it? Both normal. */
bool path_within(const char *path, const char *top);
/* The rest of path below top without a leading slash, "" when equal, NULL when not within. */
const char *path_below(const char *path, const char *top);
const char *path_name(const char *path); /* last component; "" for "/" */
/* All but the last component, in the arena; "/" for "/x" and "/". NULL when out of memory. */
const char *path_parent(struct arena *arena, const char *path);
const char *path_join(struct arena *arena, const char *top, const char *rest); /* NULL when too long or out of memory */

#endif
