/* The part of apply.h that makes contents ready in the hidden directory. Nothing that had a name before is touched. */
#include "base/own.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "workspace/apply_part.h"
#include "workspace/diff.h"
#include "workspace/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the directory ---- */

int apply_hide(struct apply *apply)
{
	uint64_t token;

	if (getrandom(&token, sizeof(token), 0) != (ssize_t)sizeof(token))
		return -EIO;
	snprintf(apply->hidden, sizeof(apply->hidden), APPLY_HIDDEN "%016llx", (unsigned long long)token);
	return 0;
}

static const char *token_of(const struct apply *apply)
{
	return apply->hidden + strlen(APPLY_HIDDEN);
}

void apply_name(const struct apply *apply, const struct step *step, char ret_name[static APPLY_NAME_MAX])
{
	snprintf(ret_name, APPLY_NAME_MAX, "%s.%llu", token_of(apply), (unsigned long long)step->number);
}

bool apply_is_hidden(const char *name)
{
	size_t n = strlen(APPLY_HIDDEN);

	return strncmp(name, APPLY_HIDDEN, n) == 0 && strlen(name) == n + APPLY_TOKEN_MAX - 1 &&
	       strspn(name + n, "0123456789abcdef") == APPLY_TOKEN_MAX - 1;
}

/* Where the file system gives all files one owner, it is the base's. */
int apply_open_hidden(struct apply *apply)
{
	autofd int fd = entry_open_dir(apply->workspace->base, apply->hidden);
	struct stat st, top;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || fstat(apply->workspace->base, &top) < 0)
		return -errno;
	return st.st_uid == geteuid() || st.st_uid == top.st_uid ? TAKE_FD(fd) : -ESTALE;
}

static int clear_one(const struct apply *apply, int fd, const char *name)
{
	size_t n = strlen(token_of(apply));

	if (strncmp(name, token_of(apply), n) != 0 || name[n] != '.')
		return 0;
	return unlinkat(fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int apply_clear_hidden(struct apply *apply)
{
	autofd int fd = apply_open_hidden(apply);
	struct file_dir dir;
	const char *name;
	unsigned char type;
	int r;

	own_close(&apply->ready);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -ESTALE ? 0 : fd;
	file_dir_init(&dir, fd);
	while ((r = file_dir_next(&dir, &name, &type)) > 0)
		if ((r = clear_one(apply, fd, name)) < 0)
			return r;
	if (r == 0 && unlinkat(apply->workspace->base, apply->hidden, AT_REMOVEDIR) < 0)
		r = -errno;
	/* What somebody has put there, or in its place, is theirs. */
	return r == -ENOENT || r == -ENOTDIR || r == -ENOTEMPTY || r == -EEXIST ? 0 : r;
}

/* ---- what lies in it ---- */

/* The old file with the chosen hunks: into a file that is ready but for its content. */
static int write_hunks(struct apply *apply, struct step *step, int fd)
{
	autocontent struct content a = { 0 }, b = { 0 };
	autodiff struct diff diff = { 0 };
	autostr struct str out = { 0 };
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_NOW } };
	int r = changes_load(&apply->changes, step->change, CHANGE_BEFORE, DIFF_BYTES_MAX, &a);

	if (r == 0)
		r = changes_load(&apply->changes, step->change, CHANGE_AFTER, DIFF_BYTES_MAX, &b);
	if (r == 0)
		r = diff_make(a.bytes, a.n, b.bytes, b.n, &diff);
	if (r < 0)
		return r;
	str_init(&out, (size_t)2 * DIFF_BYTES_MAX + 1);
	r = diff_choose(&diff, step->hunks->numbers, step->hunks->n, &out);
	if (r == 0 && (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		r = -errno;
	if (r == 0)
		r = fd_write_all(fd, out.text, out.len);
	if (r == 0 && futimens(fd, times) < 0)
		r = -errno;
	if (r == 0)
		content_hash_text(out.text ? out.text : "", out.len, step->hash);
	return r;
}

/* The sandbox may still be writing: what was judged must be what is applied. */
static int check_link(const struct apply *apply, struct step *step, const char *name)
{
	char target[4096];
	ssize_t n = readlinkat(apply->ready, name, target, sizeof(target));

	if (n < 0)
		return -errno;
	content_hash_text(step->target, strlen(step->target), step->hash);
	return (size_t)n == strlen(step->target) && memcmp(target, step->target, (size_t)n) == 0 ? 0 : -EAGAIN;
}

int apply_make_ready(struct apply *apply, struct step *step)
{
	uint64_t max = apply->options->max_file_bytes;
	struct entry wanted = step->after, made = { .kind = ENTRY_NONE };
	struct tree_source source = { .entry = &wanted, .max_bytes = max ? max : UINT64_MAX, .ret_hash = step->hash, .ret_made = &made };
	char name[APPLY_NAME_MAX];
	int r = entry_parent_of(&apply->from, apply->changes.after.fd[step->change->after_layer], step->path, &source.path);

	source.root = r;
	if (r < 0)
		return r;
	apply_name(apply, step, name);
	apply_tell(apply, "ready");
	r = tree_make(apply->ready, name, &source);
	if (r == 0 && step->hunks) {
		autofd int fd = openat(apply->ready, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

		r = fd < 0 ? -errno : write_hunks(apply, step, fd);
	}
	if (r == 0 && wanted.kind == ENTRY_LINK)
		r = check_link(apply, step, name);
	if (r == 0 && (step->hunks || wanted.kind != ENTRY_FILE))
		r = entry_look(apply->ready, name, &made);
	if (r < 0 || made.kind == ENTRY_NONE)
		return r < 0 ? r : -EAGAIN;
	step->after.ino = made.ino;
	step->after.size = made.size;
	step->after.mtime_ns = made.mtime_ns;
	step->hashed = true;
	return 0;
}

static int make_all(struct apply *apply, struct err *err)
{
	for (size_t i = 0; i < apply->steps.n; i++) {
		struct step *step = &apply->steps.at[i];
		int r = step->kind == STEP_WRITE ? apply_make_ready(apply, step) : 0;

		if (r == -ERANGE)
			return err_set(err, ERR_USAGE, ERANGE, "%s: has no such hunk; `coffer diff` shows them", step->path);
		if (r == -EFBIG)
			return err_set(err, ERR_LIMIT, EFBIG, "%s: grew beyond the limit while it was applied", step->path);
		if (r < 0)
			return err_set(err, r == -EAGAIN ? ERR_BUSY : ERR_SETUP, -r,
			               "%s: cannot be made ready: %s; nothing has been applied", step->path,
			               r == -EAGAIN ? "it changed meanwhile" : strerror(-r));
	}
	return 0;
}

static int sync_base(const struct apply *apply)
{
	if (apply->options->no_sync)
		return 0;
	return syncfs(apply->workspace->base) < 0 ? -errno : 0;
}

/* From the hidden directory's making to the point where the journal says that there is no way back. */
static int ready_all(struct apply *apply, struct err *err)
{
	const struct workspace *workspace = apply->workspace;
	int r;

	apply_tell(apply, "hide");
	if (mkdirat(workspace->base, apply->hidden, 0700) < 0)
		return err_set(err, ERR_SETUP, errno, "%s: a directory cannot be made in it: %s", workspace->record.base, strerror(errno));
	apply->ready = apply_open_hidden(apply);
	if (apply->ready < 0)
		return err_set(err, ERR_SETUP, -apply->ready, "%s/%s: %s", workspace->record.base, apply->hidden, strerror(-apply->ready));
	r = make_all(apply, err);
	if (r < 0)
		return r;
	r = sync_base(apply);
	apply_tell(apply, "commit");
	if (r == 0)
		r = journal_write(apply, true);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "the journal cannot be written: %s; nothing has been applied", strerror(-r)) : 0;
}

int apply_ready(struct apply *apply, struct err *err)
{
	int r;

	apply_tell(apply, "start");
	r = apply_hide(apply);
	if (r == 0)
		r = journal_write(apply, false);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "the journal cannot be written: %s; nothing has been applied", strerror(-r));
	r = ready_all(apply, err);
	if (r < 0) {
		(void)apply_clear_hidden(apply);
		(void)journal_remove(apply);
	}
	return r;
}
