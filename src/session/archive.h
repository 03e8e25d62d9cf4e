/*
 * archive.h: trees into archives and back, by coffer-unpack, which knows the formats and can do nothing else. Private to src/session.
 */
#ifndef COFFER_SESSION_ARCHIVE_H
#define COFFER_SESSION_ARCHIVE_H

#include "base/err.h"
#include "base/str.h"
#include "sys/process.h"

#include <stdbool.h>
#include <stdint.h>

struct archive_wish {
	bool extract;            /* else: create */
	int root;                /* the directory */
	int stream;              /* the archive: read, or written; -1: a pipe is made */
	const struct str *paths; /* create: only these, a NUL behind each; NULL: all */
	uint64_t bytes, entries; /* ceilings of extract; 0: coffer-unpack's own */
	bool trusted;            /* extract: what coffer itself has packed may be packed as well as it likes */
	bool zstd;               /* create */
	bool snapshot;           /* overlayfs's marks are kept */
	bool links_inside;       /* extract: links that would lead out of the tree are left out */
	bool as_other;           /* as this user and group, not as the caller: */
	uint32_t uid, gid;
};

struct archive_report {
	uint64_t files, directories, links, bytes, skipped;
	bool incomplete;  /* create: something could not be read: */
	char entry[1024]; /* the first one */
};

/* One that is on its way. */
struct archive_work {
	struct process process;
	int report;
	int pipe; /* our end, or -1; closed by archive_finish unless somebody has taken it */
};

/* The descriptors stay the caller's; the archive's ends when they are closed. */
int archive_start(const struct archive_wish *wish, struct archive_work *ret_work, struct err *err);
/* Waits for its end. An archive that is none is USAGE, one that would lead out POLICY, one that is too large LIMIT. */
int archive_finish(struct archive_work *work, struct archive_report *ret_report, struct err *err);

#endif
