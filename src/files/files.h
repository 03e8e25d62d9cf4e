/*
 * files.h: work on the files below one directory, while somebody hostile works there as well.
 *
 * The directory is the root of a workspace; what runs in the sandbox owns all that is below and may rename, link and replace it at any
 * moment. Nothing here needs a privilege: the process that calls has the user of the sandbox, so at worst the sandbox is shown what it
 * has anyway. What these functions keep is that nothing outside is read, written or named, and that none of them blocks or runs on.
 *
 *   links     openat2 resolves each path beneath the root, without procfs's magic links. A link inside that stays inside is followed in
 *             the middle of a path, and at its end by what reads (as @anvia/sandbox 0.x does) unless said otherwise; what writes, moves
 *             or removes takes the link itself, and an append refuses it. Walks (list, glob, grep, copy, remove) enter no link.
 *   kinds     data is read from and written to regular files; a fifo, socket or device is never opened, not even for a moment.
 *   ceilings  bytes, entries, depth and time, in struct files. What lists says where it stopped; what changes something fails with LIMIT.
 *
 * A path is relative, or names the root as "" or ".". It is normalised as text: "a/../b" is "b" whatever a is. At most 4095 bytes, 255
 * a component. A backslash is an ordinary byte here. Errors: POLICY a path that breaks the rules; NOTFOUND; DENIED not permitted, or it
 * leads out; USAGE not the kind of file that this works on; BUSY something is there, somebody holds it, or renames as fast as we look; LIMIT a ceiling;
 * UNSUPPORTED a kernel before 5.6; SETUP anything else. Each names the path.
 */
#ifndef COFFER_FILES_FILES_H
#define COFFER_FILES_FILES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/path.h"
#include "base/str.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct files {
	int root;                        /* borrowed */
	uint64_t bytes_max;              /* of one read or write; of all that one copy or grep reads */
	uint64_t entries_max;            /* that one list, glob, grep or copy looks at */
	unsigned depth_max;              /* directories below each other that a walk enters, at most FILES_DEPTH_MAX */
	uint64_t deadline_ms;            /* files_now_ms() when it is time to stop; 0: never */
	uint64_t room_bytes, room_files; /* that may still be added to the workspace: beyond that LIMIT with EDQUOT */
};

enum { FILES_DEPTH_MAX = 512 /* a walk holds a descriptor for each */ };

/* 64 MiB, 100,000 entries, 128 directories, no deadline, any room. */
void files_init(struct files *files, int root);
uint64_t files_now_ms(void);

/* The normal form of a path: "." for the root. */
int files_normalize(const char *path, char ret_path[PATH_BYTES_MAX + 1], struct err *err);

enum files_kind { FILES_FILE, FILES_DIRECTORY, FILES_SYMLINK, FILES_OTHER };
enum files_kind files_kind_of(mode_t mode);
const char *files_kind_name(enum files_kind kind); /* "file", "directory", "symlink", "other" */

struct files_stat {
	enum files_kind kind;
	uint64_t size, ino, dev;
	uint32_t mode; /* permissions, with the set-id bits */
	uint32_t links;
	struct timespec mtime;
};
/* Adds the members of a JSON object, without its braces. */
void files_stat_print(const struct files_stat *stat, const char *path, struct str *out);
/* follow: of a link that stays inside, what it leads to. */
int files_stat(const struct files *files, const char *path, bool follow, struct files_stat *ret_stat, struct err *err);
/* The text of a link, whatever it is. */
int files_readlink(const struct files *files, const char *path, char ret_target[PATH_BYTES_MAX + 1], struct err *err);

/* Reading. */

/* A regular file, open for reading. The caller closes it, and bounds what it reads: the file may grow. */
int files_open_file(const struct files *files, const char *path, int *ret_fd, struct err *err);

struct files_range {
	uint64_t offset, n; /* n 0: to the end */
};
/*
 * Adds the bytes to *bytes, which the caller has made (base/str.h); its ceiling counts beside bytes_max. A range that begins behind the end
 * is empty, one that ends there is short. On failure *bytes is cleared.
 */
int files_read(const struct files *files, const char *path, struct files_range range, struct str *bytes, struct err *err);

/*
 * A page of a text: lines from start_line (1 is the first) on, at most line_count and max_bytes. A page that is cut by bytes ends at a
 * whole character; it then goes on at next_line only if it ends with a line. 0 for a line number is what the SDKs call null.
 */
struct files_page {
	uint64_t start_line, end_line, next_line;
	enum { FILES_NOT_TRUNCATED, FILES_BY_LINES, FILES_BY_BYTES } truncated;
};
struct files_page_wish {
	uint64_t start_line, line_count, max_bytes;
};
#define FILES_PAGE_DEFAULT ((struct files_page_wish){ .start_line = 1, .line_count = 500, .max_bytes = 65536 })
/* Lines in front of the page are read and not kept; bytes_max does not count them, the deadline does. */
int files_read_page(const struct files *files, const char *path, const struct files_page_wish *wish, struct str *text,
                    struct files_page *ret_page, struct err *err);

/* Writing. */

enum { FILES_KEEP_MODE = -1 };

struct files_write {
	const void *bytes;
	size_t n;
	int from;       /* a descriptor to read to its end instead, when bytes is NULL */
	int mode;       /* permissions; FILES_KEEP_MODE: of the file that is replaced, 0644 for a new one */
	bool exclusive; /* nothing may be there yet */
	bool sync;      /* it is on the disk when this returns */
};
/*
 * The file has the old content or the new one, never anything in between: it is written beside and renamed. Directories above are made (0755).
 * A link at the end of the path is replaced.
 */
int files_write(const struct files *files, const char *path, const struct files_write *what, struct err *err);
/* Appends in one call of write(2) for up to 2 GiB; makes the file (0644) and the directories above when they are not there. */
int files_append(const struct files *files, const char *path, const void *bytes, size_t n, struct err *err);

/* parents: makes the directories above, and a directory that is there already is fine. */
int files_mkdir(const struct files *files, const char *path, uint32_t mode, bool parents, struct err *err);
/* replace: what is at `to` goes, if a rename can do that. Directories above `to` are made. */
int files_move(const struct files *files, const char *from, const char *to, bool replace, struct err *err);
/*
 * Copies a file, a link as a link, or a directory with all that is in it: contents, permissions without set-id bits, times. It appears at once or not
 * at all. `to` must not exist. Fifos, sockets and devices are an error, and so is a copy into itself.
 */
int files_copy(const struct files *files, const char *from, const char *to, struct err *err);
/* recursive: with all that is in it, whatever the modes and the depth. */
int files_remove(const struct files *files, const char *path, bool recursive, struct err *err);

/* Looking. Names are bytes, in the order of their bytes, a directory before what is in it. */

struct files_entry {
	const char *path; /* from the root on */
	struct files_stat stat;
};
VEC(struct files_entry, files_entry_vec)

/* Why a list is not whole. */
enum files_cut { FILES_WHOLE, FILES_CUT_ENTRIES, FILES_CUT_DEPTH, FILES_CUT_BYTES, FILES_CUT_TIME, FILES_CUT_UNREADABLE };
const char *files_cut_name(enum files_cut cut); /* "entries" …; NULL for FILES_WHOLE */

struct files_list {
	struct files_entry_vec entries;
	enum files_cut cut; /* the first reason */
};
/* What is in a directory (a link to one that stays inside included); depth 1: one level. Entries are in the arena. */
int files_list(const struct files *files, const char *path, unsigned depth, struct arena *arena, struct files_list *ret_list,
               struct err *err);
/* What matches a pattern (base/glob.h) that is relative to the root. */
int files_glob(const struct files *files, const char *pattern, struct arena *arena, struct files_list *ret_list, struct err *err);

struct files_grep {
	const char *path;    /* a file, or a directory and all below it; "." */
	const char *pattern; /* base/regex.h; or plain text */
	bool plain;
	const char *only;   /* glob of the paths to look into; one without '/' is of names; NULL: all */
	size_t matches_max; /* 0: 1000 */
};
enum { FILES_LINE_SHOWN_MAX = 512, FILES_LINE_MAX = 1 << 16 };
struct files_match {
	const char *path, *text; /* the line, or FILES_LINE_SHOWN_MAX of its bytes around the match */
	size_t text_len;
	uint64_t line, column; /* from 1; the column counts bytes */
	bool line_cut;
};
VEC(struct files_match, files_match_vec)
struct files_matches {
	struct files_match_vec matches; /* the first of each line */
	uint64_t files, binary;         /* looked into; left out, for there is a NUL in their first 8 KiB */
	enum files_cut cut;             /* FILES_CUT_ENTRIES: matches_max as well */
};
/* Of a line, FILES_LINE_MAX bytes are looked at. What cannot be opened is left out and makes the result FILES_CUT_UNREADABLE. */
int files_grep(const struct files *files, const struct files_grep *wish, struct arena *arena, struct files_matches *ret_matches,
               struct err *err);

#endif
