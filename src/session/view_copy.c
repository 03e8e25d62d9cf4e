/*
 * Theory of operation. A tree goes over as an archive: one coffer-unpack packs it as whoever may read it, another unpacks it as whoever shall own it, with a pipe in between. Neither can
 * reach anything but its own tree.
 */
#include "session/view.h"

#include "base/own.h"
#include "files/files.h"
#include "files/resolve.h"
#include "sys/fd.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PERMISSIONS = 0777 };
#define OUT_BYTES_MAX ((uint64_t)4 << 30) /* as of an archive */

struct name {
	char text[PATH_BYTES_MAX + 1];
};

static int host_failed(const char *path, struct err *err)
{
	return err_set(err,
	               errno == ENOENT   ? ERR_NOTFOUND
	               : errno == EEXIST ? ERR_BUSY
	                                 : ERR_SETUP,
	               errno, "%s: %s", path, strerror(errno));
}

/* ---- names ---- */

/* The last component; "" for one that names no entry: "", "/", ".", "..", "x/.". */
static struct name last_of(const char *path)
{
	size_t end = strlen(path), start;
	struct name name = { "" };

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	if (end - start > PATH_NAME_MAX || strncmp(path + start, ".", end - start) == 0 || strncmp(path + start, "..", end - start) == 0)
		return name;
	memcpy(name.text, path + start, end - start);
	return name;
}

/* `name` in the directory; without a name the directory itself. */
static int join(const char *directory, const struct name *name, struct name *ret_path, struct err *err)
{
	size_t n = strlen(directory);
	const char *between = !*name->text || n == 0 || directory[n - 1] == '/' ? "" : "/";
	int made = snprintf(ret_path->text, sizeof(ret_path->text), "%s%s%s", directory, between, name->text);

	return made >= 0 && (size_t)made < sizeof(ret_path->text) ? 0
	                                                          : err_set(err, ERR_USAGE, ENAMETOOLONG, "%s: it is too long", directory);
}

static bool asks_for_directory(const char *path)
{
	return !*path || path[strlen(path) - 1] == '/';
}

/* ---- trees ---- */

struct pour {
	const struct session_view *view;
	const char *path; /* in the session */
	int outer;        /* the host's directory */
	bool in;
};

static int start_inner(const struct pour *pour, int stream, struct archive_work *work, struct err *err)
{
	const struct archive_wish wish = { .extract = pour->in, .stream = stream };

	return view_archive(pour->view, pour->path, wish, work, err);
}

static int start_outer(const struct pour *pour, int stream, struct archive_work *work, struct err *err)
{
	const struct archive_wish wish = { .extract = !pour->in, .stream = stream, .root = pour->outer, .links_inside = !pour->in };

	return archive_start(&wish, work, err);
}

/* One whose archive broke off had nothing to say; the other one knows why. */
static int finish_both(struct archive_work *pack, struct archive_work *unpack, struct archive_report *ret_report, struct err *err)
{
	struct archive_report packed, unpacked;
	struct err packing = { 0 }, unpacking = { 0 };
	int p = archive_finish(pack, &packed, &packing), u = archive_finish(unpack, &unpacked, &unpacking);
	const struct err *why = u < 0 && (p >= 0 || unpacking.code != ERR_USAGE) ? &unpacking : &packing;

	if (p < 0 || u < 0)
		return err_set(err, why->code, why->errnum, "%s", why->text);
	unpacked.skipped += packed.skipped;
	unpacked.incomplete = packed.incomplete;
	memcpy(unpacked.entry, packed.entry, sizeof(packed.entry));
	*ret_report = unpacked;
	return 0;
}

static int pour_tree(const struct pour *pour, struct archive_report *ret_report, struct err *err)
{
	struct archive_work outer, inner;
	struct archive_report ignored;
	int ends[2], r = fd_pipe(ends);

	if (r < 0)
		return err_set(err, ERR_LIMIT, -r, "no descriptors left: %s", strerror(-r));

	autofd int from = ends[0];
	autofd int to = ends[1];

	r = start_inner(pour, pour->in ? from : to, &inner, err);
	if (r < 0)
		return r;
	r = start_outer(pour, pour->in ? to : from, &outer, err);
	own_close(&from);
	own_close(&to);
	if (r < 0) {
		(void)archive_finish(&inner, &ignored, NULL);
		return r;
	}
	return pour->in ? finish_both(&outer, &inner, ret_report, err) : finish_both(&inner, &outer, ret_report, err);
}

/* ---- in ---- */

static int choose_inner(const struct session_view *view, const char *outer, const char *path, bool file, struct name *ret_path,
                        struct err *err)
{
	struct name name = last_of(outer), none = { "" };
	bool directory = false;
	int r = view_is_directory(view, path, &directory, err);

	if (r < 0 && r != -ENOENT)
		return r;
	if (file && !directory && r == 0 && asks_for_directory(path))
		return err_set(err, ERR_USAGE, ENOTDIR, "%s: %s", path, strerror(ENOTDIR));
	if (!directory && r == 0 && !file)
		return err_set(err, ERR_USAGE, EEXIST, "%s: a file is there already, and %s is a directory", path, outer);
	return join(path, directory || (file && asks_for_directory(path)) ? &name : &none, ret_path, err);
}

int view_copy_in(const struct session_view *view, const char *outer, const char *path, struct archive_report *ret_report, struct err *err)
{
	autofd int fd = open(outer, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct name target;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return host_failed(outer, err);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE, EINVAL, "%s: neither a file nor a directory", outer);
	r = choose_inner(view, outer, path, S_ISREG(st.st_mode), &target, err);
	if (r < 0)
		return r;
	if (S_ISDIR(st.st_mode))
		return pour_tree(&(struct pour){ .view = view, .path = target.text, .outer = fd, .in = true }, ret_report, err);

	const struct view_write what = { .from = fd, .mode = (int)(st.st_mode & PERMISSIONS) };

	r = view_write(view, target.text, &what, err);
	*ret_report = (struct archive_report){ .files = 1, .bytes = (uint64_t)st.st_size };
	return r;
}

/* ---- out ---- */

/* A place on the host: a directory that is there, and a name in it; without a name the directory itself. */
struct place {
	int directory;
	struct name name;
};

/* The caller's own path: resolved as its other programs would. */
static int choose_outer(const char *path, const char *outer, struct place *ret_place, struct err *err)
{
	struct place place = { .directory = open(outer, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .name = last_of(path) };
	struct name parent;
	size_t n = strlen(outer);

	if (place.directory < 0) {
		while (n > 1 && outer[n - 1] == '/')
			n--;
		while (n > 0 && outer[n - 1] != '/')
			n--;
		place.name = last_of(outer);
		(void)snprintf(parent.text, sizeof(parent.text), "%.*s", n > 0 ? (int)n : 1, n > 0 ? outer : ".");
		place.directory = open(parent.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (place.directory < 0 || !*place.name.text)
			return own_close(&place.directory), host_failed(outer, err);
	}
	*ret_place = place;
	return 0;
}

static int copy_file_out(const struct session_view *view, const char *path, const char *outer, struct archive_report *ret_report,
                         struct err *err)
{
	struct files files;
	struct files_write what = { 0 };
	autofd int from = -1;
	struct stat st;
	struct place place = { .directory = -1 };
	int r = view_open_file(view, path, &from, err);

	if (r == 0)
		r = choose_outer(path, outer, &place, err);
	if (r < 0)
		return r;

	autofd int directory = place.directory;

	if (fstat(from, &st) < 0)
		return host_failed(path, err);
	what.from = from;
	what.mode = (int)(st.st_mode & PERMISSIONS);
	files_init(&files, directory);
	files.bytes_max = OUT_BYTES_MAX;
	*ret_report = (struct archive_report){ .files = 1, .bytes = (uint64_t)st.st_size };
	return files_write(&files, place.name.text, &what, err);
}

/* Where nothing is yet the tree is made beside, and named when it is whole. */
static int make_tree(const struct pour *pour, const struct place *place, struct archive_report *ret_report, struct err *err)
{
	const struct place_below to = { .dir = place->directory, .name = place->name.text };
	char name[TEMPORARY_MAX];
	struct pour fresh = *pour;
	int r;

	resolve_temporary(name);
	if (mkdirat(place->directory, name, PERMISSIONS) < 0)
		return host_failed(place->name.text, err);

	autofd int outer = openat(place->directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	fresh.outer = outer;
	r = outer < 0 ? host_failed(place->name.text, err) : pour_tree(&fresh, ret_report, err);
	if (r == 0 && (r = resolve_rename(place->directory, name, &to, false)) < 0)
		r = resolve_failed(err, -r, place->name.text);
	if (r < 0)
		(void)file_remove_tree(place->directory, name);
	return r;
}

int view_copy_out(const struct session_view *view, const char *path, const char *outer, struct archive_report *ret_report, struct err *err)
{
	struct pour pour = { .view = view, .path = path };
	struct place place;
	bool directory = false;
	int r = view_is_directory(view, path, &directory, err);

	if (r == -ENOENT)
		return err_set(err, ERR_NOTFOUND, ENOENT, "%s: it is not in the session", path);
	if (r < 0 || !directory)
		return r < 0 ? r : copy_file_out(view, path, outer, ret_report, err);
	r = choose_outer(path, outer, &place, err);
	if (r < 0)
		return r;

	autofd int above = place.directory;
	const char *name = *place.name.text ? place.name.text : ".";
	autofd int there = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (there < 0 && errno == ENOENT)
		return make_tree(&pour, &place, ret_report, err);
	if (there < 0)
		return host_failed(name, err);
	pour.outer = there;
	return pour_tree(&pour, ret_report, err);
}
