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
#include <sys/stat.h>
#include <unistd.h>

/* The old file with the chosen hunks: into a file that is ready but for its content. */
static int write_hunks(struct apply *apply, const struct step *step, int fd)
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
	return r;
}

/* The sandbox may still be writing: what was judged must be what is applied. */
static int check_link(const struct apply *apply, const struct step *step, const char *name)
{
	char target[4096];
	ssize_t n = readlinkat(apply->ready, name, target, sizeof(target));

	if (n < 0)
		return -errno;
	return (size_t)n == strlen(step->target) && memcmp(target, step->target, (size_t)n) == 0 ? 0 : -EAGAIN;
}

static int make_ready(struct apply *apply, struct step *step)
{
	uint64_t max = apply->options->max_file_bytes;
	struct entry wanted = step->after;
	struct tree_source source = { .root = apply->changes.after.fd[step->change->after_layer],
		                      .path = step->path,
		                      .entry = &wanted,
		                      .max_bytes = max ? max : UINT64_MAX };
	char name[32];
	struct stat st;
	int r;

	snprintf(name, sizeof(name), "%llu", (unsigned long long)step->number);
	apply_tell(apply, "ready");
	r = tree_make(apply->ready, name, &source);
	if (r == 0 && step->hunks) {
		autofd int fd = openat(apply->ready, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

		r = fd < 0 ? -errno : write_hunks(apply, step, fd);
	}
	if (r == 0 && wanted.kind == ENTRY_LINK)
		r = check_link(apply, step, name);
	if (r == 0 && fstatat(apply->ready, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	if (r == 0)
		step->after.ino = st.st_ino;
	return r;
}

static int make_all(struct apply *apply, struct err *err)
{
	for (size_t i = 0; i < apply->steps.n; i++) {
		struct step *step = &apply->steps.at[i];
		int r = step->kind == STEP_WRITE ? make_ready(apply, step) : 0;

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
	apply->ready = entry_open_dir(workspace->base, apply->hidden);
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

	snprintf(apply->hidden, sizeof(apply->hidden), ".coffer-apply-%s", apply->workspace->record.id);
	apply_tell(apply, "start");
	r = journal_write(apply, false);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "the journal cannot be written: %s; nothing has been applied", strerror(-r));
	r = ready_all(apply, err);
	if (r < 0) {
		own_close(&apply->ready);
		(void)file_remove_tree(apply->workspace->base, apply->hidden);
		(void)journal_remove(apply);
	}
	return r;
}
