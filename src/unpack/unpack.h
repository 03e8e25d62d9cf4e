/*
 * unpack.h: archives into a directory, and a directory into an archive. The one place that knows libarchive, in a program of its own.
 *
 * libarchive reads and writes formats; what is made of an entry is decided and done here. Every byte of an archive is hostile, and so may be
 * whoever works in the directory meanwhile: nothing is resolved through a link, and nothing outside the directory is opened or named.
 */
#ifndef COFFER_UNPACK_UNPACK_H
#define COFFER_UNPACK_UNPACK_H

#include "base/err.h"
#include "base/path.h"

#include <stdbool.h>
#include <stdint.h>

/* Exit statuses as well. */
enum unpack_status {
	UNPACK_DONE = 0,
	UNPACK_USAGE = 2,
	UNPACK_MALFORMED = 3,  /* not an archive, or a broken one */
	UNPACK_REFUSED = 4,    /* an entry that would lead out, or is of no kind that is taken */
	UNPACK_LIMIT = 5,      /* a ceiling */
	UNPACK_FAILED = 6,     /* the directory, or the other side, said no */
	UNPACK_INCOMPLETE = 7, /* create: the archive is whole, and something that should be in it could not be read */
	UNPACK_SETUP = 8,      /* the program could not confine itself; nothing was read */
};

struct unpack_limits {
	uint64_t bytes;   /* of all files together, holes included */
	uint64_t ratio;   /* unpacked bytes for one packed, beyond the first MiB */
	uint64_t entries; /* directories that had to be made on the way included */
	unsigned depth;   /* components of a name */
	uint64_t time_ms;
};
#define UNPACK_LIMITS_DEFAULT ((struct unpack_limits){ (uint64_t)4 << 30, 1000, 1000000, 256, 600000 })

struct unpack {
	int root;  /* the directory */
	int input; /* extract: the archive; create: -1, or NUL-separated paths of what to take */
	int output;
	struct unpack_limits limits;
	uint64_t deadline_ms; /* set by the run */
	bool snapshot;        /* overlayfs's whiteouts and opaque directories are kept */
	bool skip_special;    /* extract: entries that are no file, directory or link are left out instead of refused */
	bool links_inside;    /* extract: links that would lead out of the directory are left out, and counted in `skipped` */
	bool zstd;            /* create */
	bool flat;            /* create, with paths: a directory is taken without what is in it */

	/* What was done. After a failure of extract: the entries that stand complete in the directory. */
	uint64_t files, directories, links, bytes, skipped, entries;
	enum unpack_status status;
	struct err err;                 /* when the status is not UNPACK_DONE */
	char entry[PATH_BYTES_MAX + 1]; /* which one it was about, if any */
};

/* Notes the first failure; one that ends the work replaces UNPACK_INCOMPLETE. Returns the status. */
enum unpack_status unpack_fail(struct unpack *unpack, enum unpack_status status, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool unpack_out_of_time(const struct unpack *unpack);

/*
 * Unpacks a tar (ustar, pax, GNU), plain or in one of gzip, bzip2, xz and zstd, or a zip. Existing files are replaced, directories joined. Names are
 * bytes. Permissions and modification times are kept; set-id bits, owners and extended attributes are not. The end mark has to be there, and nothing
 * behind it.
 */
enum unpack_status unpack_extract(struct unpack *unpack);
/* Writes a pax tar. Sockets, fifos and devices are counted in `skipped`. Owners are not told; set-id bits neither. */
enum unpack_status unpack_create(struct unpack *unpack);

#endif
