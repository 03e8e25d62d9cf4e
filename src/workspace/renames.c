/* The parts of changes.h about the contents of single changes, and pairs of them. */
#include "base/own.h"
#include "base/path.h"
#include "workspace/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Files above this size are not read only to find out whether they were renamed. */
enum { RENAME_BYTES_MAX = 64 << 20 };

int changes_open(const struct changes *changes, const struct change *change, enum change_side side)
{
	if (side == CHANGE_BEFORE)
		return entry_open_file(changes->before.fd[change->before_layer], change->path);
	return entry_open_file(changes->after.fd[change->after_layer], change->path);
}

int changes_load(const struct changes *changes, const struct change *change, enum change_side side, size_t max, struct content *ret_content)
{
	const struct entry *entry = side == CHANGE_BEFORE ? &change->before : &change->after;
	int root = side == CHANGE_BEFORE ? changes->before.fd[change->before_layer] : changes->after.fd[change->after_layer];

	if (entry->kind == ENTRY_FILE) {
		autofd int fd = changes_open(changes, change, side);

		return fd < 0 ? fd : content_load(fd, max, ret_content);
	}
	struct arena arena;
	const char *text = "";
	int r = 0;

	arena_init(&arena, 64 << 10);
	if (entry->kind == ENTRY_LINK)
		r = entry_read_link(root, change->path, &arena, &text);
	if (r == 0) {
		ret_content->bytes = strdup(text);
		ret_content->n = strlen(text);
		r = ret_content->bytes ? 0 : -ENOMEM;
	}
	arena_done(&arena);
	return r;
}

struct candidate {
	struct change *change;
	uint8_t hash[SHA256_BYTES];
	bool hashed;
};

static bool may_be_renamed(const struct change *change)
{
	const struct entry *entry = change->kind == CHANGE_ADDED ? &change->after : &change->before;

	return change->kind != CHANGE_MODIFIED && entry->kind == ENTRY_FILE && entry->size > 0 && entry->size <= RENAME_BYTES_MAX;
}

static uint64_t size_of(const struct change *change)
{
	return change->kind == CHANGE_ADDED ? change->after.size : change->before.size;
}

/* qsort: by size, deletions first. */
static int by_size(const void *a, const void *b)
{
	const struct change *x = ((const struct candidate *)a)->change, *y = ((const struct candidate *)b)->change;

	if (size_of(x) != size_of(y))
		return size_of(x) < size_of(y) ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind == CHANGE_DELETED ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* A candidate that cannot be read has no twin. */
static bool hash(const struct changes *changes, struct candidate *candidate)
{
	if (candidate->hashed)
		return true;
	autofd int fd = changes_open(changes, candidate->change, candidate->change->kind == CHANGE_ADDED ? CHANGE_AFTER : CHANGE_BEFORE);

	candidate->hashed = fd >= 0 && content_hash(fd, size_of(candidate->change), candidate->hash) == 0;
	return candidate->hashed;
}

static bool is_twin(const struct changes *changes, struct candidate *deleted, struct candidate *added)
{
	return !added->change->from && !deleted->change->to && hash(changes, deleted) && hash(changes, added) &&
	       memcmp(deleted->hash, added->hash, SHA256_BYTES) == 0;
}

/* Candidates of one size: `deleted` deletions, then additions. Twins of the same name first, then any. */
static void pair(const struct changes *changes, struct candidate *at, size_t deleted, size_t n)
{
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < deleted; i++) {
			for (size_t k = deleted; k < n && !at[i].change->to; k++) {
				struct change *x = at[i].change, *y = at[k].change;

				if ((round == 0 && strcmp(path_name(x->path), path_name(y->path)) != 0) ||
				    !is_twin(changes, &at[i], &at[k]))
					continue;
				y->from = x->path;
				x->to = y->path;
			}
		}
	}
}

/* A group of one size this large is not compared one by one: thousands of small equal files are no renames that anybody wants to read. */
enum { GROUP_MAX = 200 };

int changes_find_renames(struct changes *changes)
{
	size_t n = 0;
	autofree struct candidate *at = calloc(changes->list.n + 1, sizeof(*at));

	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < changes->list.n; i++)
		if (may_be_renamed(&changes->list.at[i]))
			at[n++].change = &changes->list.at[i];
	qsort(at, n, sizeof(*at), by_size);
	for (size_t i = 0, end; i < n; i = end) {
		size_t deleted = 0;

		for (end = i; end < n && size_of(at[end].change) == size_of(at[i].change); end++)
			deleted += at[end].change->kind == CHANGE_DELETED;
		if (deleted > 0 && deleted < end - i && end - i <= GROUP_MAX)
			pair(changes, at + i, deleted, end - i);
	}
	return 0;
}
