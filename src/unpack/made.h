/* made.h: what an extraction must remember of what it made: files that hard links may name, and directories whose modes come last. */
#ifndef COFFER_UNPACK_MADE_H
#define COFFER_UNPACK_MADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct made_file {
	uint64_t dev, ino; /* ino 0: free */
	char *path;        /* create: under which it was written first */
};

/* A table of files by device and inode. */
struct made_files {
	struct made_file *at;
	size_t n, room;
};
/* The entry for this file, a new one (path NULL) if there is none yet. NULL: no memory. */
struct made_file *made_files_put(struct made_files *files, const struct stat *st);
bool made_files_has(const struct made_files *files, const struct stat *st);
void made_files_done(struct made_files *files);

struct made_directory {
	char *path;
	size_t order;
	uint32_t mode;
	bool opaque;
	struct timespec mtime; /* tv_nsec UTIME_OMIT: not told */
};
struct made_directories {
	struct made_directory *at;
	size_t n, room;
};
/* Copies path. False: no memory. */
bool made_directories_add(struct made_directories *directories, const char *path, const struct made_directory *what);
/* What is below comes before what is above, and of one path the last first. */
void made_directories_sort(struct made_directories *directories);
void made_directories_done(struct made_directories *directories);

#endif
