/*
 * Theory of operation. The file is "coffer journal 1", then a letter and a path for each inverse, each with its NUL: c for a
 * cgroup, t for a tree. It is written in one go, before the first deed, so it may name things that were never made; undoing those finds
 * nothing and is fine.
 *
 * Between making the file and locking it a sweeper may come: it finds an empty file, which promises nothing, and removes it. So whoever
 * has got the lock looks whether the file still has a name, and else starts over. The same look keeps two sweepers apart.
 */
#include "engine/journal.h"

#include "base/own.h"
#include "base/path.h"
#include "sys/cgroup.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOURNAL_BYTES_MAX = 64 << 10, JOURNAL_TRIES = 100, JOURNAL_SWEEP_AT_START = 16, JOURNAL_INVERSES_MAX = 64 };

static const char head[] = "coffer journal 1";

/* ---- undoing ---- */

static int remove_tree(const char *path)
{
	char parent[PATH_BYTES_MAX + 1];
	const char *name = path_name(path);
	size_t len = (size_t)(name - path);

	if (!*name || len >= sizeof(parent))
		return -EINVAL;
	memcpy(parent, path, len);
	parent[len] = '\0';

	autofd int fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : file_remove_tree(fd, name);
}

int inverse_undo(const struct inverse *inverse)
{
	int r = inverse->kind == PLAN_INVERSE_CGROUP_REMOVE ? cgroup_remove(inverse->path) : remove_tree(inverse->path);

	return r == -ENOENT ? 0 : r;
}

/* ---- the directory ---- */

/* A directory of this user's own that nobody else can enter. */
static int check_private(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_SETUP, errno, "%s: %s", path, strerror(errno));
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return err_set(err, ERR_DENIED, EPERM, "%s must belong to this user and be closed to others (mode 0700)", path);
	return 0;
}

/* Makes the missing directories above and at path. Failure shows when it is opened. */
static void make_dirs(const char *path)
{
	char room[PATH_BYTES_MAX + 1];
	size_t len = strlen(path);

	if (len >= sizeof(room))
		return;
	memcpy(room, path, len + 1);
	for (char *slash = strchr(room + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(room, 0700);
		*slash = '/';
	}
	(void)mkdir(room, 0700);
}

int journal_open_dir(const char *state_dir, struct err *err)
{
	autofd int top = file_open_dir(AT_FDCWD, state_dir);

	if (top < 0)
		return err_set(err, ERR_SETUP, -top, "%s: %s", state_dir, strerror(-top));

	int r = check_private(top, state_dir, err);
	int dir = r < 0 ? r : file_open_dir(top, "journal");

	return r == 0 && dir < 0 ? err_set(err, ERR_SETUP, -dir, "%s/journal: %s", state_dir, strerror(-dir)) : dir;
}

static int make_and_open_dir(const char *state_dir, struct err *err)
{
	char path[PATH_BYTES_MAX + 1];
	int dir = journal_open_dir(state_dir, NULL);

	if (dir >= 0)
		return dir;
	if (dir == -ENOENT && (size_t)snprintf(path, sizeof(path), "%s/journal", state_dir) < sizeof(path))
		make_dirs(path);
	return journal_open_dir(state_dir, err);
}

/* ---- sweeping ---- */

/*
 * Takes the lock of a file that still has a name: 1, or 0 when somebody else has it or it is gone or no file, or a negative errno. The lock
 * belongs to the open file (F_OFD_…, Linux 3.15): another run of the same process does not have it too.
 */
static int lock(int file, int how)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;
	int r;

	do
		r = fcntl(file, how, &whole);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EAGAIN || errno == EACCES ? 0 : -errno;
	return fstat(file, &st) < 0 ? -errno : st.st_nlink > 0 && S_ISREG(st.st_mode);
}

/* Only what bears the run's name is ever removed, whatever the file says. */
static bool is_credible(const struct inverse *inverse, const char *run_id)
{
	return path_is_normal(inverse->path) && strstr(path_name(inverse->path), run_id);
}

static size_t parse(const char *text, size_t len, struct inverse *inverses)
{
	const char *end = text + len;
	size_t n = 0;

	if (len < sizeof(head) || memcmp(text, head, sizeof(head)) != 0 || end[-1] != '\0')
		return 0;
	for (const char *p = text + sizeof(head); p < end && n < JOURNAL_INVERSES_MAX; p += strlen(p) + 1)
		inverses[n++] = (struct inverse){ *p == 'c' ? PLAN_INVERSE_CGROUP_REMOVE : PLAN_INVERSE_REMOVE_TREE, p + (*p != '\0') };
	return n;
}

/* Undoes what a journal tells, the last deed first. */
static int undo_all(int file, const char *run_id)
{
	struct inverse inverses[JOURNAL_INVERSES_MAX];
	autofree char *text = malloc(JOURNAL_BYTES_MAX);
	ssize_t len = text ? pread(file, text, JOURNAL_BYTES_MAX, 0) : -1;
	int failed = 0;

	if (len < 0)
		return text ? -errno : -ENOMEM;
	for (size_t n = parse(text, (size_t)len, inverses); n-- > 0;) {
		int r = is_credible(&inverses[n], run_id) ? inverse_undo(&inverses[n]) : 0;

		failed = failed ? failed : r;
	}
	return failed;
}

/* 1 when the run of this journal was dead and has been undone. */
static int sweep_one(int dir, const char *run_id)
{
	autofd int file = openat(dir, run_id, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (file < 0 || lock(file, F_OFD_SETLK) <= 0 || undo_all(file, run_id) < 0)
		return 0;
	return unlinkat(dir, run_id, 0) == 0;
}

int journal_sweep(int dir, unsigned most)
{
	struct file_dir reader;
	const char *name;
	unsigned char type;
	int undone = 0;

	file_dir_init(&reader, dir);
	while (most-- > 0 && file_dir_next(&reader, &name, &type) > 0)
		undone += sweep_one(dir, name);
	return undone;
}

/* ---- writing ---- */

static int make_file(int dir, const char *run_id)
{
	for (int turn = 0; turn < JOURNAL_TRIES; turn++) {
		autofd int file = openat(dir, run_id, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (file < 0)
			return -errno;

		int locked = lock(file, F_OFD_SETLKW);

		if (locked < 0)
			return locked;
		if (locked)
			return TAKE_FD(file);
	}
	return -EAGAIN;
}

static int write_file(int file, const struct inverse_vec *inverses)
{
	autofree char *text = malloc(JOURNAL_BYTES_MAX);
	size_t len = sizeof(head);

	if (!text)
		return -ENOMEM;
	memcpy(text, head, sizeof(head));
	for (size_t i = 0; i < inverses->n; i++) {
		const struct inverse *inverse = &inverses->at[i];
		size_t path_len = strlen(inverse->path) + 1;

		if (i >= JOURNAL_INVERSES_MAX || len + 1 + path_len >= JOURNAL_BYTES_MAX)
			return -E2BIG;
		text[len++] = inverse->kind == PLAN_INVERSE_CGROUP_REMOVE ? 'c' : 't';
		memcpy(text + len, inverse->path, path_len);
		len += path_len;
	}

	ssize_t written = write(file, text, len);

	if (written < 0)
		return -errno;
	return (size_t)written == len ? 0 : -ENOSPC;
}

void journal_init(struct journal *journal)
{
	*journal = (struct journal){ .dir = -1, .file = -1 };
}

int journal_begin(const char *state_dir, const char *run_id, const struct inverse_vec *inverses, struct journal *ret_journal,
                  struct err *err)
{
	if (!state_dir || !run_id || !*run_id || *run_id == '.' || strchr(run_id, '/'))
		return err_set(err, ERR_USAGE, EINVAL, "a run that changes the host needs a state directory and a name");

	autofd int dir = make_and_open_dir(state_dir, err);

	if (dir < 0)
		return dir;
	(void)journal_sweep(dir, JOURNAL_SWEEP_AT_START);

	autofd int file = make_file(dir, run_id);
	int r = file < 0 ? file : write_file(file, inverses);

	if (r < 0) {
		if (file >= 0)
			(void)unlinkat(dir, run_id, 0);
		return err_set(err, r == -EEXIST ? ERR_BUSY : ERR_SETUP, -r, "%s/journal/%s: %s", state_dir, run_id, strerror(-r));
	}
	*ret_journal = (struct journal){ .dir = TAKE_FD(dir), .file = TAKE_FD(file), .run_id = run_id };
	return 0;
}

void journal_end(struct journal *journal, bool keep)
{
	if (journal->dir >= 0 && !keep)
		(void)unlinkat(journal->dir, journal->run_id, 0);
	own_close(&journal->file);
	own_close(&journal->dir);
}
