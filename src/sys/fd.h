/*
 * fd.h: what a descriptor is, and descriptors that are made to be handed on. All of them are close-on-exec and never 0 to 4, so that
 * putting one in such a place for a child cannot destroy another.
 */
#ifndef COFFER_SYS_FD_H
#define COFFER_SYS_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fd_kind { FD_CLOSED, FD_NULL, FD_FILE, FD_PIPE, FD_SOCKET, FD_TERMINAL, FD_OTHER };

/* dev and ino tell whether two descriptors lead to the same thing. FD_NULL is /dev/null itself, by device number. */
struct fd_facts {
	enum fd_kind kind;
	uint64_t dev, ino;
};

enum { FD_LOWEST = 5 };

/* -1 and numbers that are not open are FD_CLOSED. */
struct fd_facts fd_look(int fd);

/* Moves a descriptor to FD_LOWEST or above when it is not there yet. On failure it is closed. */
int fd_raise(int *fd);

/*
 * Closes every descriptor from first on, or marks those below `end` to be closed on exec. Before close_range (Linux 5.9, with marks 5.11) one by one: all
 * numbers that fs.nr_open allows, or up to end.
 */
void fd_close_from(int first);
int fd_mark_from(int first, int end);

/* A pipe: read end, write end. */
int fd_pipe(int ret_ends[2]);

/* Takes every blocking out of a descriptor that is nobody else's. */
int fd_set_nonblocking(int fd);

/*
 * Opens what fd leads to once more, non-blocking, with access O_RDONLY or O_WRONLY: O_NONBLOCK on fd itself would change it for
 * everybody who shares it. Works for pipes and terminals; a negative errno where this user may not open it.
 */
int fd_open_again(int fd, int access);

/* Writes all of it, however many calls that takes; for descriptors that block. 0 or a negative errno. */
int fd_write_all(int fd, const void *bytes, size_t n);

/* A file in memory with these bytes, which nobody can change any more: for a child. Linux 3.17. */
int fd_sealed(const char *name, const void *bytes, size_t n);

/* /dev/null, for reading and writing, checked by device number: -ENODEV when that name leads elsewhere. */
int fd_open_null(void);

/* Of the numbers 0 to 2, those that are not open become /dev/null: otherwise the next thing that is opened would be one of them. */
int fd_fill_standard(void);

#endif
