#include "workspace/stack.h"

#include "base/own.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One layer's word on a path. */
struct word {
	struct entry entry;
	bool hides;  /* a whiteout: nothing here, and nothing below shows */
	bool opaque; /* a directory in which nothing below shows */
};

static bool has_either(int fd, const char *user, const char *trusted, char value)
{
	return entry_has_attribute(fd, user, value) || entry_has_attribute(fd, trusted, value);
}

/* What only an attribute can tell. */
static int ask_attributes(int root, const char *path, struct word *word)
{
	autofd int fd = entry_open_path(root, path);

	if (fd < 0) /* gone since */
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
	if (word->entry.kind == ENTRY_FILE)
		word->hides = has_either(fd, "user.overlay.whiteout", "trusted.overlay.whiteout", '\0');
	else
		word->opaque = has_either(fd, "user.overlay.opaque", "trusted.overlay.opaque", 'y');
	return 0;
}

static int ask(int root, const char *path, struct word *ret_word)
{
	struct word word = { .entry.kind = ENTRY_NONE };
	int r = entry_look(root, path, &word.entry);

	word.hides = word.entry.type == S_IFCHR && word.entry.rdev == 0;
	if (word.entry.kind == ENTRY_DIR || (word.entry.kind == ENTRY_FILE && word.entry.size == 0))
		r = ask_attributes(root, path, &word);
	*ret_word = word;
	return r;
}

static int find_child(const int *fd, size_t n, size_t floor, const char *path, struct stack_place *ret_place)
{
	struct stack_place place = { .entry.kind = ENTRY_NONE, .floor = floor, .dir = -1, .name = path };

	for (size_t i = n; i-- > floor;) {
		struct word word;
		int r = ask(fd[i], path, &word);

		if (r < 0)
			return r;
		if (word.entry.kind == ENTRY_NONE)
			continue;
		if (word.hides || (word.entry.kind != ENTRY_DIR && place.entry.kind == ENTRY_DIR)) {
			place.floor = i + 1;
			break;
		}
		if (place.entry.kind == ENTRY_NONE) {
			place.entry = word.entry;
			place.layer = i;
			place.dir = fd[i];
		}
		if (word.opaque || word.entry.kind != ENTRY_DIR) {
			place.floor = i;
			break;
		}
	}
	*ret_place = place;
	return 0;
}

int stack_child(const struct stack *stack, size_t floor, const char *path, struct stack_place *ret_place)
{
	return find_child(stack->fd, stack->n, floor, path, ret_place);
}

void stack_dir_close(struct stack_dir *dir)
{
	for (size_t i = dir->floor; i < dir->n; i++)
		own_close(&dir->fd[i]);
}

int stack_dir_open(const struct stack *stack, size_t floor, const char *path, struct stack_dir *ret_dir)
{
	ret_dir->n = ret_dir->floor = floor;
	for (; ret_dir->n < stack->n; ret_dir->n++) {
		int root = stack->fd[ret_dir->n], fd = root < 0 ? -ENOENT : entry_open_path(root, path);

		if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP) {
			stack_dir_close(ret_dir);
			return fd;
		}
		ret_dir->fd[ret_dir->n] = fd < 0 ? -1 : fd;
	}
	return 0;
}

int stack_dir_child(const struct stack_dir *dir, const char *name, struct stack_place *ret_place)
{
	return find_child(dir->fd, dir->n, dir->floor, name, ret_place);
}

int stack_find(const struct stack *stack, const char *path, struct stack_place *ret_place)
{
	char prefix[PATH_BYTES_MAX + 1] = "";
	size_t len = strlen(path), at = 0;
	struct stack_place place;
	int r = len > PATH_BYTES_MAX ? -ENAMETOOLONG : stack_child(stack, 0, "", &place);

	while (r == 0 && place.entry.kind == ENTRY_DIR && at < len) {
		size_t end = at + strcspn(path + at, "/");

		memcpy(prefix, path, end);
		prefix[end] = '\0';
		r = stack_child(stack, place.floor, prefix, &place);
		at = end + (path[end] == '/');
	}
	if (r < 0)
		return r;
	if (at < len)
		place = (struct stack_place){ .entry.kind = ENTRY_NONE, .dir = -1 };
	place.name = path; /* not the copy */
	*ret_place = place;
	return 0;
}

int stack_names(const struct stack *stack, size_t first, const char *path, struct arena *arena, struct text_vec *names)
{
	int r = 0;

	for (size_t i = first; r == 0 && i < stack->n; i++)
		r = entry_names(stack->fd[i], path, arena, names);
	return r;
}

int stack_list(const struct stack *stack, const char *path, struct arena *arena, struct text_vec *ret_names)
{
	struct text_vec names = { 0 };
	struct stack_place place;
	size_t n = 0;
	int r = stack_find(stack, path, &place);

	if (r < 0)
		return r;
	if (place.entry.kind != ENTRY_DIR)
		return place.entry.kind == ENTRY_NONE ? -ENOENT : -ENOTDIR;
	r = stack_names(stack, place.floor, path, arena, &names);
	entry_sort_names(&names);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		char child[PATH_BYTES_MAX + 1];
		struct stack_place shown;

		if ((size_t)snprintf(child, sizeof(child), "%s%s%s", path, *path ? "/" : "", names.at[i]) >= sizeof(child))
			return -ENAMETOOLONG;
		r = stack_child(stack, place.floor, child, &shown);
		if (r == 0 && shown.entry.kind != ENTRY_NONE)
			names.at[n++] = names.at[i];
	}
	names.n = n;
	*ret_names = names;
	return r;
}

size_t stack_common(const struct stack *a, const struct stack *b)
{
	size_t n = 0;

	while (n < a->n && n < b->n) {
		struct stat x, y;

		if (a->fd[n] < 0 || b->fd[n] < 0) {
			if (a->fd[n] != b->fd[n])
				break;
		} else if (fstat(a->fd[n], &x) < 0 || fstat(b->fd[n], &y) < 0 || x.st_dev != y.st_dev || x.st_ino != y.st_ino) {
			break;
		}
		n++;
	}
	return n;
}
