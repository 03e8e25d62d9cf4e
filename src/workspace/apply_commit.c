/*
 * Theory of operation. Every step can be done again, whatever became of it the last time: a new file is known by its inode, which the journal has, and
 * what came out in exchange lies in the hidden directory until it has been compared with what was looked at. So a step begins by finding out how far it got.
 */
#include "base/own.h"
#include "base/path.h"
#include "workspace/apply_part.h"
#include "workspace/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where a step works. */
struct site {
	int parent; /* of the path */
	const char *name;
	char number[APPLY_NAME_MAX]; /* its name in the hidden directory */
};

static const char changed[] = "the host's file was changed while it was applied";
static const char taken[] = "the host has made something of that name while it was applied";

/* A rename changes a file's ctime, so that is of no use here. */
static bool is_as_seen(const struct entry *seen, const struct entry *now)
{
	return now->type == seen->type && now->ino == seen->ino && now->size == seen->size && now->mtime_ns == seen->mtime_ns;
}

static int conflict(struct apply *apply, const struct step *step, const char *text)
{
	return apply_find(apply, APPLY_CONFLICT, step->path, "%s", text);
}

/* From the hidden directory to its place. musl has no function for this. */
static int move(const struct apply *apply, const struct site *site, unsigned flags)
{
	return (int)syscall(SYS_renameat2, apply->ready, site->number, site->parent, site->name, flags);
}

/* Puts a new name in place without replacing any. */
static int place_new(const struct apply *apply, const struct site *site)
{
	if (move(apply, site, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (linkat(apply->ready, site->number, site->parent, site->name, 0) < 0)
		return -errno;
	return unlinkat(apply->ready, site->number, 0) < 0 ? -errno : 0;
}

/* Somebody's file that is in the hidden directory gets its name again; where that is taken by now, one beside it. */
static int give_back(struct apply *apply, const struct step *step, const struct site *site)
{
	char beside[PATH_NAME_MAX + 1];
	int r = place_new(apply, site);

	if (r != -EEXIST)
		return r < 0 ? r : conflict(apply, step, changed);
	struct site other = *site;

	snprintf(beside, sizeof(beside), "%.200s.coffer-kept", site->name);
	other.name = beside;
	r = place_new(apply, &other);
	return r < 0 ? r : apply_find(apply, APPLY_CONFLICT, step->path, "%s; what was there before is in %s", changed, beside);
}

/* Exchanges the file for the new one; where the file system cannot, replaces it after another look. */
static int exchange(const struct apply *apply, const struct step *step, const struct site *site)
{
	struct entry now;
	int r;

	if (move(apply, site, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	r = entry_look(site->parent, site->name, &now);
	if (r == 0 && !is_as_seen(&step->before, &now))
		return -ESTALE;
	if (r == 0 && renameat(apply->ready, site->number, site->parent, site->name) < 0)
		r = -errno;
	return r;
}

/* What came out is in the hidden directory: as it was looked at, it can go; if not, back with it. */
static int settle(struct apply *apply, const struct step *step, const struct site *site)
{
	struct entry out;
	int r = entry_look(apply->ready, site->number, &out);

	if (r < 0 || out.kind == ENTRY_NONE)
		return r;
	if (out.ino == step->after.ino || is_as_seen(&step->before, &out)) {
		apply_tell(apply, "drop");
		return unlinkat(apply->ready, site->number, 0) < 0 ? -errno : 0;
	}
	if (move(apply, site, RENAME_EXCHANGE) == 0)
		return conflict(apply, step, changed);
	return errno == ENOENT ? give_back(apply, step, site) : -errno;
}

static int do_write(struct apply *apply, const struct step *step, const struct site *site)
{
	struct entry now;
	int r = entry_look(site->parent, site->name, &now);
	bool ours = now.kind != ENTRY_NONE && now.ino == step->after.ino;

	if (r < 0)
		return r;
	if (!ours && step->before.kind == ENTRY_NONE) {
		apply_tell(apply, "place");
		r = now.kind == ENTRY_NONE ? place_new(apply, site) : -EEXIST;
		return r == -EEXIST ? conflict(apply, step, taken) : r;
	}
	if (!ours && !is_as_seen(&step->before, &now))
		return conflict(apply, step, changed);
	if (!ours) {
		apply_tell(apply, "exchange");
		r = exchange(apply, step, site);
	}
	if (r == -ESTALE || r == -ENOENT)
		return conflict(apply, step, changed);
	return r < 0 ? r : settle(apply, step, site);
}

static int do_remove(struct apply *apply, const struct step *step, const struct site *site)
{
	struct entry now, out;
	int r = entry_look(apply->ready, site->number, &out);

	if (r == 0 && out.kind == ENTRY_NONE) {
		r = entry_look(site->parent, site->name, &now);
		if (r < 0 || now.kind == ENTRY_NONE || (step->kind == STEP_CLEAR && now.kind == ENTRY_DIR))
			return r; /* done; whether the directory is ours is for its own step to say */
		if (!is_as_seen(&step->before, &now))
			return conflict(apply, step, changed);
		apply_tell(apply, "take");
		if (renameat(site->parent, site->name, apply->ready, site->number) < 0)
			return -errno;
		r = entry_look(apply->ready, site->number, &out);
	}
	if (r < 0)
		return r;
	apply_tell(apply, "drop");
	if (is_as_seen(&step->before, &out))
		return unlinkat(apply->ready, site->number, 0) < 0 ? -errno : 0;
	return give_back(apply, step, site);
}

static int do_make_dir(struct apply *apply, const struct step *step, const struct site *site)
{
	struct entry now;
	int r;

	apply_tell(apply, "mkdir");
	if (mkdirat(site->parent, site->name, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	r = entry_look(site->parent, site->name, &now);
	return r == 0 && now.kind != ENTRY_DIR ? conflict(apply, step, taken) : r;
}

static int do_remove_dir(struct apply *apply, const struct step *step, const struct site *site)
{
	apply_tell(apply, "rmdir");
	if (unlinkat(site->parent, site->name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return conflict(apply, step, "is not empty: the host has put something there");
	if (errno != ENOTDIR)
		return -errno;
	return step->kind == STEP_CLEAR_DIR ? 0 : conflict(apply, step, changed);
}

static int do_finish_dir(struct apply *apply, const struct step *step)
{
	autofd int fd = entry_open_dir(apply->workspace->base, step->path);
	struct stack after;
	struct stack_place place;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) /* told when it was made */
		return 0;
	if (fd < 0)
		return fd;
	apply_tell(apply, "finish");
	r = workspace_stack(apply->workspace, WORKSPACE_NOW, &after, NULL);
	if (r == 0)
		r = stack_find(&after, step->path, &place);
	if (r < 0)
		return r;
	struct tree_source source = { .root = place.entry.kind == ENTRY_DIR ? after.fd[place.layer] : apply->workspace->base,
		                      .path = step->path,
		                      .entry = &step->after };

	return tree_finish_dir(fd, &source);
}

static int do_step(struct apply *apply, const struct step *step)
{
	struct site site;
	int parent = entry_parent_of(&apply->at, apply->workspace->base, step->path, &site.name);

	site.parent = parent;
	apply_name(apply, step, site.number);
	if (parent == -ENOENT || parent == -ENOTDIR || parent == -ELOOP)
		return step->kind == STEP_MAKE_DIR || step->kind == STEP_WRITE ? conflict(apply, step, "its directory is gone") : 0;
	if (parent < 0)
		return parent;
	switch (step->kind) {
	case STEP_WRITE:
		return do_write(apply, step, &site);
	case STEP_CLEAR:
	case STEP_REMOVE:
		return do_remove(apply, step, &site);
	case STEP_MAKE_DIR:
		return do_make_dir(apply, step, &site);
	case STEP_CLEAR_DIR:
	case STEP_REMOVE_DIR:
		return do_remove_dir(apply, step, &site);
	default:
		return do_finish_dir(apply, step);
	}
}

/*
 * What is there now, as what was put there: if it is not that any more, somebody wrote it since, and there is no seal, which counts as changed by others. After an apply
 * that was cut short nobody remembers what the content was, but for its place.
 */
static void seal(struct apply *apply, const struct step *step)
{
	struct entry now = { .kind = ENTRY_NONE };
	const char *name;
	int parent = entry_parent_of(&apply->at, apply->workspace->base, step->path, &name);
	int r = parent < 0 ? 0 : entry_look(parent, name, &now);
	bool written = step->kind == STEP_WRITE;
	bool ours = written ? now.ino == step->after.ino && now.mtime_ns == step->after.mtime_ns : now.kind == ENTRY_NONE;

	if (r < 0 || !ours || (step->hashed && !is_as_seen(&step->after, &now)))
		seals_drop(&apply->seals, step->path);
	else if (step->hashed)
		(void)seals_put_known(&apply->seals, step->path, &now, step->hash);
	else
		(void)seals_put(&apply->seals, step->path);
}

static void count(struct apply_result *result, enum step_kind kind)
{
	result->written += kind == STEP_WRITE;
	result->made += kind == STEP_MAKE_DIR;
	result->removed += kind == STEP_REMOVE || kind == STEP_REMOVE_DIR;
}

/* Errors that tell that the machine, not this path, is the trouble: the journal stays, and the next apply goes on. */
static bool is_general(int r)
{
	return r == -ENOSPC || r == -EDQUOT || r == -EIO || r == -EROFS || r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

int apply_commit(struct apply *apply, struct err *err)
{
	for (size_t i = 0; i < apply->steps.n; i++) {
		const struct step *step = &apply->steps.at[i];
		size_t before = apply->blocking;
		int r = do_step(apply, step);

		if (r < 0 && is_general(r))
			return err_set(err, ERR_SETUP, -r,
			               "%s: cannot be applied: %s; apply again when that has passed: it goes on from here", step->path,
			               strerror(-r));
		if (r < 0)
			r = apply_find(apply, APPLY_FAILED, step->path, "%s", strerror(-r));
		if (r < 0)
			return err_set(err, ERR_INTERNAL, -r, "no memory for what was found");
		if (apply->blocking == before) {
			count(apply->result, step->kind);
			if (step->kind == STEP_WRITE || step->kind == STEP_REMOVE || step->kind == STEP_CLEAR)
				seal(apply, step);
		}
	}
	seals_sort(&apply->seals);
	return 0;
}
