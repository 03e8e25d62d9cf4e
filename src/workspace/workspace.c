#include "workspace/workspace.h"

#include "base/own.h"
#include "base/path.h"
#include "sys/file.h"
#include "workspace/apply.h"
#include "workspace/clock.h"
#include "workspace/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)256 << 20)

static const char *top_name(const struct workspace *workspace)
{
	return workspace->record.mode == WORKSPACE_STAGE ? "stage" : "upper";
}

/* The directories above, as missing ones of a home are made by others too. */
static void make_parents(const char *path)
{
	char part[PATH_BYTES_MAX + 1];
	size_t n = strlen(path);

	if (n >= sizeof(part))
		return;
	memcpy(part, path, n + 1);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(part, 0700);
		*slash = '/';
	}
	(void)mkdir(part, 0700);
}

/* DATA_DIR/workspaces, which must be this user's alone. */
int workspace_open_all(const char *data_dir, bool make, struct err *err)
{
	struct stat st;

	if (make)
		make_parents(data_dir);
	autofd int data = open(data_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (data < 0 || fstat(data, &st) < 0)
		return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_SETUP, errno, "%s: %s", data_dir,
		               errno == ENOENT ? "there are no workspaces" : strerror(errno));
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return err_set(err, ERR_DENIED, EPERM, "%s is not this user's alone: chown it, and chmod 0700", data_dir);
	if (make)
		(void)mkdirat(data, "workspaces", 0700);
	int fd = openat(data, "workspaces", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_SETUP, errno, "%s/workspaces: %s", data_dir,
		               errno == ENOENT ? "there are no workspaces" : strerror(errno));
	return fd;
}

struct workspace *workspace_start(const char *data_dir)
{
	struct workspace *workspace = calloc(1, sizeof(*workspace));

	if (!workspace)
		return NULL;
	arena_init(&workspace->arena, ARENA_MAX);
	workspace->all = workspace->dir = workspace->base = workspace->top = workspace->lock = -1;
	workspace->data_dir = arena_dup(&workspace->arena, data_dir);
	return workspace;
}

void workspace_close(struct workspace *workspace)
{
	if (!workspace)
		return;
	for (size_t i = 0; i < workspace->open.n; i++)
		own_close(&workspace->open.fd[i]);
	own_close(&workspace->all);
	own_close(&workspace->dir);
	own_close(&workspace->base);
	own_close(&workspace->top);
	own_close(&workspace->lock);
	arena_done(&workspace->arena);
	free(workspace);
}

/* The lock belongs to the open file: another user of the same process does not have it too. */
int workspace_take_lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return 0;
	return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
}

static int lock(struct workspace *workspace, const char *name, struct err *err)
{
	autofd int fd = openat(workspace->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (workspace->lock >= 0)
		return 0;
	if (fd < 0)
		return err_set(err, ERR_SETUP, errno, "workspace %s: its lock cannot be opened: %s", workspace->record.id, strerror(errno));
	if (workspace_take_lock(fd) < 0)
		return err_set(err, ERR_BUSY, EBUSY, "workspace %s is in use: end its session, or wait", workspace->record.id);
	workspace->lock = TAKE_FD(fd);
	return 0;
}

int workspace_lock(struct workspace *workspace, struct err *err)
{
	return lock(workspace, "lock", err);
}

int workspace_lock_beside(struct workspace *workspace, struct err *err)
{
	return lock(workspace, "lock-beside", err);
}

void workspace_unlock(struct workspace *workspace)
{
	own_close(&workspace->lock);
}

int workspace_need_lock(const struct workspace *workspace, struct err *err)
{
	if (workspace->lock < 0)
		return err_set(err, ERR_INTERNAL, EINVAL, "workspace %s is changed without its lock", workspace->record.id);
	return 0;
}

int workspace_open_base(struct workspace *workspace, struct err *err)
{
	struct stat st;

	if (!workspace->record.base)
		return 0;
	workspace->base = file_open_dir(AT_FDCWD, workspace->record.base);
	if (workspace->base < 0 || fstat(workspace->base, &st) < 0)
		return err_set(err, ERR_NOTFOUND, errno, "%s: cannot be opened: %s", workspace->record.base, strerror(errno));
	if (workspace->record.base_ino && st.st_ino != workspace->record.base_ino)
		return err_set(err, ERR_DENIED, ESTALE,
		               "%s is another directory than the one workspace %s was made for; `coffer discard %s` removes the workspace",
		               workspace->record.base, workspace->record.id, workspace->record.id);
	workspace->record.base_ino = st.st_ino;
	return 0;
}

/*
 * A checkpoint writes the record, renames upper, and makes a new one. Where the layer that the record says is right below is not there, the second
 * deed is missing; where upper is not there, the third.
 */
static int repair_top(struct workspace *workspace)
{
	const struct workspace_layer *layer = record_layer(&workspace->record, workspace->record.below);
	char path[64];
	struct stat st;

	if (layer && strcmp(layer->home, workspace->record.id) == 0) {
		snprintf(path, sizeof(path), "layers/%llu", (unsigned long long)layer->number);
		if (fstatat(workspace->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			(void)renameat(workspace->dir, "upper", workspace->dir, path);
	}
	(void)mkdirat(workspace->dir, "upper", 0700);
	return entry_open_dir(workspace->dir, "upper");
}

int workspace_open_top(struct workspace *workspace, struct err *err)
{
	if (workspace->record.mode == WORKSPACE_OVERLAY)
		workspace->top = repair_top(workspace);
	else
		workspace->top = entry_open_dir(workspace->dir, "stage");
	if (workspace->top < 0)
		return err_set(err, ERR_POLICY, -workspace->top,
		               "workspace %s is broken: its %s/ cannot be opened: %s; `coffer discard %s` removes it", workspace->record.id,
		               top_name(workspace), strerror(-workspace->top), workspace->record.id);
	return 0;
}

static int open_parts(struct workspace *workspace, const char *id, struct err *err)
{
	int r = record_load(workspace->dir, id, &workspace->arena, &workspace->record, err);

	if (r == 0 && workspace->record.kept)
		r = err_set(err, ERR_NOTFOUND, ENOENT, "workspace %s has been removed", id);
	if (r == 0)
		r = workspace_open_base(workspace, err);
	return r < 0 ? r : workspace_open_top(workspace, err);
}

int workspace_open(const char *data_dir, const char *id, struct workspace **ret_workspace, struct err *err)
{
	autoworkspace struct workspace *workspace = workspace_start(data_dir);

	if (!workspace)
		return err_set(err, ERR_INTERNAL, ENOMEM, "no memory for a workspace");
	if (!workspace_is_id(id))
		return err_set(err, ERR_USAGE, EINVAL, "\"%s\" is no workspace's name: letters, digits, \".\", \"_\" and \"-\"", id);
	workspace->all = workspace_open_all(data_dir, false, err);
	if (workspace->all < 0)
		return workspace->all;
	workspace->dir = entry_open_dir(workspace->all, id);
	if (workspace->dir < 0)
		return err_set(err, ERR_NOTFOUND, -workspace->dir, "there is no workspace %s", id);
	int r = open_parts(workspace, id, err);

	if (r < 0)
		return r;
	*ret_workspace = TAKE_PTR(workspace);
	return 0;
}

int workspace_make_dir(struct workspace *workspace, const char *wanted, struct err *err)
{
	unsigned char random[6];

	if (wanted && !workspace_is_id(wanted))
		return err_set(err, ERR_USAGE, EINVAL, "\"%s\" is no workspace's name: letters, digits, \".\", \"_\" and \"-\"", wanted);
	if (!wanted && getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_set(err, ERR_INTERNAL, errno, "no random numbers for the workspace's name");
	workspace->record.id = wanted ? arena_dup(&workspace->arena, wanted)
	                              : arena_printf(&workspace->arena, "%02x%02x%02x%02x%02x%02x", random[0], random[1], random[2],
	                                             random[3], random[4], random[5]);
	if (!workspace->record.id)
		return err_set(err, ERR_INTERNAL, ENOMEM, "no memory for a workspace's name");
	if (mkdirat(workspace->all, workspace->record.id, 0700) < 0)
		return err_set(err, errno == EEXIST ? ERR_BUSY : ERR_SETUP, errno, "workspace %s: %s", workspace->record.id,
		               errno == EEXIST ? "there is one of that name" : strerror(errno));
	workspace->dir = entry_open_dir(workspace->all, workspace->record.id);
	return workspace->dir < 0
	           ? err_set(err, ERR_SETUP, -workspace->dir, "workspace %s: %s", workspace->record.id, strerror(-workspace->dir))
	           : 0;
}

int workspace_make_parts(struct workspace *workspace, struct err *err)
{
	const struct workspace_record *record = &workspace->record;
	static const char *const overlay[] = { "upper", "work", "layers" }, *const stage[] = { "stage", "layers" };
	bool staged = record->mode == WORKSPACE_STAGE;
	size_t n = staged ? ARRAY_LEN(stage) : ARRAY_LEN(overlay);
	int r;

	for (size_t i = 0; i < n; i++)
		if (mkdirat(workspace->dir, staged ? stage[i] : overlay[i], 0700) < 0)
			return err_set(err, ERR_SETUP, errno, "workspace %s: %s", record->id, strerror(errno));
	r = workspace_open_top(workspace, err);
	if (r == 0 && staged)
		r = stage_fill(workspace, err);
	return r < 0 ? r : record_store(workspace->dir, record, err);
}

/* From now on, what is in the base is as the workspace found it: also what was written a moment ago. */
static int start_clock(struct workspace *workspace, struct err *err)
{
	struct workspace_record *record = &workspace->record;
	int r = record->base ? clock_pass() : 0;

	if (r == 0)
		r = clock_read(&record->created_ns, &record->clock);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "workspace %s: the clock cannot be read: %s", record->id, strerror(-r));
	record->seen_ns = record->created_ns;
	return 0;
}

int workspace_create(const char *data_dir, const struct workspace_options *options, struct workspace **ret_workspace, struct err *err)
{
	autoworkspace struct workspace *workspace = workspace_start(data_dir);

	if (!workspace)
		return err_set(err, ERR_INTERNAL, ENOMEM, "no memory for a workspace");
	if (options->base && !path_is_normal(options->base))
		return err_set(err, ERR_USAGE, EINVAL, "%s: the base of a workspace is named by an absolute path without \"..\"",
		               options->base);
	workspace->record.mode = options->mode;
	workspace->record.base = arena_dup(&workspace->arena, options->base);
	workspace->all = workspace_open_all(data_dir, true, err);
	int r = workspace->all < 0 ? workspace->all : workspace_open_base(workspace, err);

	if (r == 0)
		r = workspace_make_dir(workspace, options->id, err);
	if (r < 0)
		return r;
	r = workspace_lock(workspace, err);
	if (r == 0)
		r = start_clock(workspace, err);
	if (r == 0)
		r = workspace_make_parts(workspace, err);
	if (r < 0) {
		(void)file_remove_tree(workspace->all, workspace->record.id);
		return r;
	}
	*ret_workspace = TAKE_PTR(workspace);
	return 0;
}

int workspace_empty(struct workspace *workspace, const char *name, struct err *err)
{
	int r = file_remove_tree(workspace->dir, name);

	if (r == -ENOENT)
		r = 0;
	if (r == 0 && mkdirat(workspace->dir, name, 0700) < 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "workspace %s: its %s/ cannot be emptied: %s", workspace->record.id, name, strerror(-r))
	             : 0;
}

int workspace_renew_top(struct workspace *workspace, struct err *err)
{
	int r;

	own_close(&workspace->top);
	r = workspace_empty(workspace, top_name(workspace), err);
	if (r == 0 && workspace->record.mode == WORKSPACE_OVERLAY)
		r = workspace_empty(workspace, "work", err);
	if (r == 0)
		r = workspace_open_top(workspace, err);
	if (r == 0 && workspace->record.mode == WORKSPACE_STAGE)
		r = stage_fill(workspace, err);
	return r;
}

int workspace_discard(struct workspace *workspace, struct err *err)
{
	struct workspace_record *record = &workspace->record;
	struct apply_result ended = { 0 };
	int r = workspace_recover(workspace, &ended, err);

	apply_result_done(&ended);
	if (r < 0)
		return r;
	record->below = 0;
	r = start_clock(workspace, err);
	if (r < 0)
		return r;
	r = workspace_renew_top(workspace, err);
	(void)unlinkat(workspace->dir, "seals", 0);
	return r < 0 ? r : record_store(workspace->dir, record, err);
}
