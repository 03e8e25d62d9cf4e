/*
 * caller.h: another process of the same user, whose system call this one has been asked to judge or to make: its memory, its
 * directories, and what it means by a path. Needs the right to trace it (it is dumpable, and not outside this one's Landlock domain), but never traces.
 * process_vm_readv is Linux 3.2, openat2 5.6.
 *
 * Whoever acts for another must not lend it its own identity. In procfs a process's own entries look different to itself, and links
 * lead where no path says; so a path is walked a component at a time, links are read and followed by hand, and
 *
 *   - "self" and "thread-self" are the caller's, wherever they come up (/dev/fd, /proc/mounts, a link that somebody made)
 *   - a link in procfs to a thing rather than to a path is only followed if it is the caller's own
 *   - nothing in procfs that is this process's own is ever the end of a walk, nor is another process's memory
 *   - procfs means the one that caller_init was given; all others lead nowhere
 */
#ifndef COFFER_SYS_CALLER_H
#define COFFER_SYS_CALLER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "sys/text.h"

/*
 * Opens what is needed. `proc`, `root` and `own_fds` stay open; the first is the procfs that shows this process's pid namespace. A caller's
 * umask is taken to be this process's own, until somebody sets umask_varies: the one place that tells another's costs more than most calls.
 */
struct caller_view {
	int proc, root, own_fds;
	uint64_t proc_dev;
	uint64_t root_dev, root_ino, mount_ns;
	char proc_path[64];
	pid_t self;
	unsigned umask;
	bool umask_varies;
};
int caller_init(struct caller_view *view);

/* What has been found out about a caller so far: nothing costs before it is asked for. */
struct caller {
	const struct caller_view *view;
	pid_t thread;
	pid_t process; /* 0: not asked yet */
	unsigned umask;
};
#define CALLER(view, thread) ((struct caller){ (view), (thread), 0, 0 })

/* Has it this process's root and mounts? If not its paths mean something else. Who refuses it chroot and namespaces need not ask. */
bool caller_sees_the_same(const struct caller_view *view, pid_t thread);
/* The process that the thread belongs to, and its umask. -EACCES when they cannot be told. */
int caller_process(struct caller *caller, pid_t *ret_process);
int caller_umask(struct caller *caller, unsigned *ret_umask);

/*
 * Copies from the thread's memory. -EACCES when that may not be read. caller_read_text returns the length; -ENAMETOOLONG without a NUL in room
 * bytes, -EFAULT as the kernel would.
 */
int caller_read(pid_t thread, uint64_t address, void *ret_bytes, size_t n);
int caller_read_text(pid_t thread, uint64_t address, char *ret_text, size_t room);

/* The name of its program as the kernel keeps it; "" when it is gone. */
void caller_name(const struct caller_view *view, pid_t thread, char ret_name[16]);

/* Its controlling terminal, as the number of a pty. -ENXIO when it has none. */
int caller_terminal(struct caller *caller, unsigned *ret_number);

/* The path of one of its directories: a descriptor number, or AT_FDCWD. */
int caller_dir_path(const struct caller_view *view, pid_t thread, int dir, char ret_path[PATH_MAX]);
/* Is the descriptor of this number closed when it executes? -EBADF, -EACCES. */
int caller_fd_cloexec(const struct caller_view *view, pid_t thread, int fd, bool *ret_cloexec);
/* An O_PATH descriptor of what one of its descriptors leads to. */
int caller_open_fd(const struct caller_view *view, pid_t thread, int fd);

/*
 * Where a path leads: a directory and a name in it, which may not exist. Or, where the walk ended in a descriptor of the caller's,
 * the thing itself. The name is no link if links were to be followed, and has a slash at its end if the path had one.
 */
struct place {
	int dir, target; /* O_PATH; -1: none */
	char name[NAME_MAX + 2];
	bool looked, exists; /* place_look */
	struct stat found;   /* when it exists; a link is itself */
};

/* A link in the last place: named itself, even with a slash behind it; followed if there is one, as every slash asks for a directory; followed. */
enum caller_end { CALLER_NAME, CALLER_SLASH, CALLER_FOLLOW };

/*
 * `start` is where a relative path starts: one of the caller's descriptors, or AT_FDCWD. -EBADF, -ENOTDIR. place_init makes a place that
 * place_done may be given.
 */
void place_init(struct place *place);
int caller_find(struct caller *caller, int start, const char *path, enum caller_end end, struct place *ret_place);
void place_done(struct place *place);
/* Does it exist, and as what? Looks once. */
bool place_look(struct place *place);
/* Makes what is there now its target, from which it is opened whatever becomes of the name. True if it is of this device, which is not 0. */
bool place_hold(struct place *place, dev_t dev);
/* The path of a place, every link resolved. -EXDEV when it is not below this process's root; what has no path is "". */
int place_path(const struct caller_view *view, const struct place *place, char ret_path[PATH_MAX]);
/* Opens the thing that a place's target is again, with rights of its own. */
int place_reopen(const struct caller_view *view, const struct place *place, int flags);
/* "self/fd/7": the target's name below view->proc, for calls that take a path. */
struct text place_target_name(const struct place *place);

#endif
