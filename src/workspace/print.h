/*
 * print.h: changes as text: for people, for machines, for git.
 *
 * Text goes out in pieces, so that a large patch needs no large memory; files above PRINT_FILE_MAX are an error in a patch. A writer that fails ends the printing
 * with its answer.
 */
#ifndef COFFER_WORKSPACE_PRINT_H
#define COFFER_WORKSPACE_PRINT_H

#include "base/str.h"
#include "workspace/changes.h"

enum { PRINT_FILE_MAX = 64 << 20 };

struct printer {
	int (*put)(void *data, const char *bytes, size_t n); /* 0 or a negative errno */
	void *data;
	const char *const *paths; /* only what is at or below these; NULL: all */
	size_t paths_n;
};

/* "M src/main.c", "R old -> new", escaped for terminals; a line each. */
int changes_print_names(const struct changes *changes, const struct printer *printer, struct err *err);
/* " src/main.c | 3 +, 1 -", and a sum. */
int changes_print_stat(const struct changes *changes, const struct printer *printer, struct err *err);
/* What `git apply` takes. Empty directories and special files cannot be said in it. */
int changes_print_patch(const struct changes *changes, const struct printer *printer, struct err *err);
/* {"changes":[…]}; a path that is not UTF-8 has "pathHex" too. */
int changes_print_json(const struct changes *changes, const struct printer *printer, struct err *err);

/* Is path at or below one of these? True without any. */
bool changes_print_selects(const char *const *paths, size_t n, const char *path);
/* "added", "modified", "deleted", "renamed" */
const char *changes_print_kind(const struct change *change);
/* Lines added and removed, and whether the file is binary, in *ret_binary. */
int changes_print_count(const struct changes *changes, const struct change *change, size_t ret_lines[2], bool *ret_binary);

#endif
