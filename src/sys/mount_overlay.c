/*
 * Theory of operation. Layers are named by /proc/self/fd, so that no path is looked up twice and no byte of one needs quoting. The options go through
 * mount(2), a page at once, which every kernel takes; fsconfig(2) would take 256 bytes of a list of layers before 6.5 knew "lowerdir+".
 *
 * userxattr: without a host's privileges overlayfs marks what it made by user.overlay.*, and follows neither redirects nor metadata that stand
 * for a file elsewhere. Both are said all the same, and so is index=off, for a module's parameters may have other defaults.
 */
#include "sys/mount.h"

#include "base/own.h"
#include "sys/inside.h"
#include "sys/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPTIONS ",userxattr,index=off,redirect_dir=nofollow,metacopy=off"

enum { OPTIONS_BYTES_MAX = 4096 /* a page, to mount(2) */ };

struct options {
	char bytes[OPTIONS_BYTES_MAX];
	size_t len;
};

static int add(struct options *options, const char *key, int fd)
{
	struct text text = { 0 };

	text_add(&text, key);
	if (fd >= 0) {
		text_add(&text, "/proc/self/fd/");
		text_number(&text, (unsigned)fd, 10);
	}
	if (options->len + text.len >= sizeof(options->bytes))
		return -E2BIG;
	memcpy(options->bytes + options->len, text.bytes, text.len + 1);
	options->len += text.len;
	return 0;
}

/* A new directory of the room, with the tree on it. Returns a descriptor of it, of the empty directory where there is no tree. */
static int make_place(int room, const char *name, int tree)
{
	int dir = mkdirat(room, name, 0700) < 0 ? -errno : openat(room, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;

	if (dir < 0 || tree < 0)
		return dir;
	r = mount_attach(tree, dir);
	close(dir);
	if (r < 0)
		return r;
	dir = openat(room, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir < 0 ? -errno : dir;
}

/* Opens a path of the held tree for the options. The descriptor is for *ret_fd, until the overlay is mounted. */
static int add_held(struct options *options, const char *key, int held, const char *path, int *ret_fd)
{
	int fd = inside_open(held, path);

	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return add(options, key, fd);
}

struct layers {
	int fd[MOUNT_LAYERS_MAX + 2];
	size_t n;
};

static int add_all(struct options *options, const struct mount_overlay *overlay, int base, int held, struct layers *open)
{
	const char *key = "lowerdir=";
	int r = 0;

	for (size_t i = overlay->layers; r == 0 && i-- > 0; key = ":") {
		open->fd[open->n] = -1;
		r = add_held(options, key, held, overlay->layer[i], &open->fd[open->n++]);
	}
	if (r == 0)
		r = add(options, key, base);
	open->fd[open->n] = open->fd[open->n + 1] = -1;
	if (r == 0)
		r = add_held(options, ",upperdir=", held, overlay->upper, &open->fd[open->n]);
	if (r == 0)
		r = add_held(options, ",workdir=", held, overlay->work, &open->fd[open->n + 1]);
	open->n += 2;
	return r == 0 ? add(options, OPTIONS, -1) : r;
}

static int mount_layers(const struct mount_overlay *overlay, int base, int held, int target, unsigned rights)
{
	struct layers open = { .n = 0 };
	struct options options = { .len = 0 };
	int r = add_all(&options, overlay, base, held, &open);

	if (r == 0)
		r = mount_new(target, "overlay", options.bytes, rights);
	for (size_t i = 0; i < open.n; i++)
		if (open.fd[i] >= 0)
			close(open.fd[i]);
	return r;
}

int mount_overlay(const struct mount_overlay *overlay, unsigned rights)
{
	autofd int base = make_place(overlay->room, "base", overlay->base);
	autofd int held = base < 0 ? base : make_place(overlay->room, "held", overlay->held);
	autofd int target = held < 0 ? held : make_place(overlay->room, "merged", -1);
	autofd int merged = -1;
	int r = target < 0 ? target : mount_layers(overlay, base, held, target, rights);

	if (r < 0)
		return r;
	merged = openat(overlay->room, "merged", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return merged < 0 ? -errno : mount_tree(merged, rights, false);
}
