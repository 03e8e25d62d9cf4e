/*
 * resolve.h: from a path to a descriptor, beneath the root; for the other files here.
 */
#ifndef COFFER_FILES_RESOLVE_H
#define COFFER_FILES_RESOLVE_H

#include "files/files.h"

/* Sets err for an errno of the kernel: the code, and the path. Returns -errnum. */
/* May so many bytes more, or a file more, be there? Else LIMIT, EDQUOT. */
int resolve_room(const struct files *files, const char *path, uint64_t bytes, struct err *err);
int resolve_failed(struct err *err, int errnum, const char *path);
/* Has the time of files run out? Then a LIMIT error. */
int resolve_time(const struct files *files, const char *path, struct err *err);

/* openat2 below dirfd. path is normal or "."; flags as open's. Tries again while renames go on. A descriptor or a negative errno. */
int resolve_open(int dirfd, const char *path, int flags, uint64_t more_resolve);
/* The same for any path text of a caller, with its error. FOLLOW or not is O_NOFOLLOW in flags. */
int resolve_path(const struct files *files, const char *path, int flags, struct err *err);
/* Opens the regular file that an O_PATH descriptor names: that one, whatever its name leads to by now. -EINVAL for any other kind. */
int resolve_open_regular(int place, int flags);

/* The directory that holds what a path names. */
struct place_below {
	int dir;
	const char *name; /* in path */
	char path[PATH_BYTES_MAX + 1];
};
enum resolve_parents { RESOLVE_PARENTS_EXIST, RESOLVE_PARENTS_MADE };
/* The root itself has none: a POLICY error. */
int resolve_parent(const struct files *files, const char *path, enum resolve_parents parents, struct place_below *ret_place,
                   struct err *err);
void place_below_done(struct place_below *place);
#define autoplace __attribute__((cleanup(place_below_done)))

/* renameat2; replace false is RENAME_NOREPLACE. */
int resolve_rename(int from_dir, const char *from, const struct place_below *to, bool replace);

/* A name that is not taken yet, most probably: ".coffer-" and 16 letters. */
enum { TEMPORARY_MAX = sizeof(".coffer-") + 16 };
void resolve_temporary(char ret_name[TEMPORARY_MAX]);

#endif
