#include "workspace/seal.h"

#include "base/own.h"
#include "workspace/content.h"
#include "workspace/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)1 << 30)

void seals_done(struct seals *seals)
{
	arena_done(&seals->arena);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct seal *)a)->path, ((const struct seal *)b)->path);
}

void seals_sort(struct seals *seals)
{
	if (seals->list.n)
		qsort(seals->list.at, seals->list.n, sizeof(*seals->list.at), by_path);
	seals->sorted = seals->list.n;
}

static bool read_seal(char *line, struct seal *seal)
{
	uint64_t type, mode;

	if (!keep_take_unsigned(&line, &type) || !keep_take_unsigned(&line, &mode) || !keep_take_number(&line, &seal->ctime_ns) ||
	    !keep_take_hash(&line, seal->hash))
		return false;
	seal->type = (uint32_t)type;
	seal->mode = (uint32_t)mode;
	seal->path = keep_take_path(&line);
	return seal->path && !line;
}

static int load(struct seals *seals)
{
	struct keep_text lines;
	char *line;
	int r = keep_list_read(seals->workspace->dir, "seals", "seals", &seals->arena, &lines);

	if (r == -ENOENT)
		return 0;
	while (r == 0 && (line = keep_line(&lines))) {
		struct seal *seal = seal_vec_add(&seals->list, &seals->arena);

		if (!seal)
			r = -ENOMEM;
		else if (!read_seal(line, seal))
			r = -EBADMSG;
	}
	seals_sort(seals);
	return r;
}

int seals_open(struct workspace *workspace, struct seals *ret_seals, struct err *err)
{
	struct seals seals = { .workspace = workspace };
	int r;

	arena_init(&seals.arena, ARENA_MAX);
	r = clock_read(&seals.wall_ns, &seals.clock);
	if (r == 0)
		r = load(&seals);
	if (r < 0)
		err_set(err, ERR_POLICY, -r, "workspace %s is broken: its seals cannot be read: %s; `coffer discard %s` removes it",
		        workspace->record.id, r == -EBADMSG ? "they are not what coffer wrote" : strerror(-r), workspace->record.id);
	if (r == 0 && workspace->record.mode == WORKSPACE_STAGE)
		r = stage_manifest(workspace, &seals.arena, &seals.manifest, err);
	if (r < 0) {
		seals_done(&seals);
		return r;
	}
	*ret_seals = seals;
	return 0;
}

int seals_store(struct seals *seals, struct err *err)
{
	struct workspace *workspace = seals->workspace;
	autostr struct str out = { 0 };
	int r;

	str_init(&out, KEEP_LIST_MAX);
	keep_list_start(&out, "seals");
	for (size_t i = 0; i < seals->list.n; i++) {
		const struct seal *seal = &seals->list.at[i];

		str_printf(&out, "%u %u %lld ", seal->type, seal->mode, (long long)seal->ctime_ns);
		keep_put_hash(&out, seal->hash);
		str_add_char(&out, ' ');
		keep_put_path(&out, seal->path);
		str_add_char(&out, '\n');
	}
	r = keep_list_write(workspace->dir, "seals", &out);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "workspace %s: its seals cannot be written: %s", workspace->record.id, strerror(-r));
	if (seals->wall_ns > workspace->record.seen_ns)
		workspace->record.seen_ns = seals->wall_ns;
	return record_store(workspace->dir, &workspace->record, err);
}

const struct seal *seals_find(const struct seals *seals, const char *path)
{
	struct seal key = { .path = path };

	return seals->sorted ? bsearch(&key, seals->list.at, seals->sorted, sizeof(key), by_path) : NULL;
}

static int hash_of(int root, const char *path, const struct entry *entry, uint8_t *ret_hash)
{
	memset(ret_hash, 0, SHA256_BYTES);
	if (entry->kind == ENTRY_FILE) {
		struct entry now;
		autofd int fd = entry_open_seen(root, path, &now);

		return fd < 0 ? fd : content_hash(fd, now.size, ret_hash);
	}
	if (entry->kind != ENTRY_LINK)
		return 0;
	struct arena arena;
	const char *target;
	int r;

	arena_init(&arena, 64 << 10);
	r = entry_read_link(root, path, &arena, &target);
	if (r == 0)
		content_hash_text(target, strlen(target), ret_hash);
	arena_done(&arena);
	return r;
}

static bool is_proven(const struct seals *seals, const char *path, const struct entry *now)
{
	if (clock_proves(&seals->workspace->record, seals->wall_ns, &seals->clock, now->ctime_ns))
		return true;
	const struct stage_entry *entry = stage_find(&seals->manifest, path);

	return entry && entry->base_ino == now->ino && entry->base_ctime_ns == now->ctime_ns;
}

static int judge_unsealed(const struct seals *seals, const char *path, const struct entry *now)
{
	if (now->kind == ENTRY_NONE) /* nothing to lose; but a stage knows what it was copied from */
		return stage_find(&seals->manifest, path) ? SEAL_BROKEN : SEAL_KEPT;
	return now->kind == ENTRY_DIR || is_proven(seals, path, now) ? SEAL_KEPT : SEAL_UNKNOWN;
}

int seals_judge(const struct seals *seals, const char *path, const struct entry *now)
{
	const struct seal *seal = seals_find(seals, path);
	uint8_t hash[SHA256_BYTES];
	int r;

	if (!seal)
		return judge_unsealed(seals, path, now);
	if ((now->kind == ENTRY_NONE ? 0 : now->type) != seal->type)
		return SEAL_BROKEN;
	if (now->kind == ENTRY_NONE || now->kind == ENTRY_DIR || now->ctime_ns == seal->ctime_ns)
		return SEAL_KEPT;
	r = hash_of(seals->workspace->base, path, now, hash);
	if (r < 0)
		return r;
	return memcmp(hash, seal->hash, sizeof(hash)) == 0 ? SEAL_KEPT : SEAL_BROKEN;
}

int seals_put_known(struct seals *seals, const char *path, const struct entry *entry, const uint8_t *hash)
{
	const struct seal *known = seals_find(seals, path);
	struct seal seal = { .path = known ? known->path : arena_dup(&seals->arena, path) };
	struct seal *slot = known ? &seals->list.at[known - seals->list.at] : seal_vec_add(&seals->list, &seals->arena);

	if (!slot || !seal.path)
		return -ENOMEM;
	memcpy(seal.hash, hash, sizeof(seal.hash));
	if (entry->kind != ENTRY_NONE) {
		seal.type = entry->type;
		seal.mode = entry->mode;
		seal.ctime_ns = entry->ctime_ns;
	}
	*slot = seal;
	return 0;
}

int seals_put(struct seals *seals, const char *path)
{
	uint8_t hash[SHA256_BYTES];
	struct entry entry;
	int base = seals->workspace->base;
	int r = entry_look(base, path, &entry);

	if (r == 0)
		r = hash_of(base, path, &entry, hash);
	return r < 0 ? r : seals_put_known(seals, path, &entry, hash);
}

void seals_drop(struct seals *seals, const char *path)
{
	const struct seal *known = seals_find(seals, path);
	size_t i = known ? (size_t)(known - seals->list.at) : 0;

	if (!known)
		return;
	memmove(&seals->list.at[i], &seals->list.at[i + 1], (seals->list.n - i - 1) * sizeof(*known));
	seals->list.n--;
	seals->sorted--;
}

/* Does this change rest on something in the base that is not sealed yet, and can be? */
static bool wants_seal(const struct seals *seals, const struct change *change)
{
	return change->before.kind != ENTRY_NONE && change->before.kind != ENTRY_DIR && !seals_find(seals, change->path) &&
	       is_proven(seals, change->path, &change->before);
}

int seals_take(struct seals *seals, const struct changes *changes, const bool *skip, struct err *err)
{
	size_t added = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < changes->list.n; i++) {
		if ((skip && skip[i]) || !wants_seal(seals, &changes->list.at[i]))
			continue;
		added++;
		r = seals_put(seals, changes->list.at[i].path);
		if (r == -EACCES) /* nobody here can change it or apply to it */
			r = 0;
		if (r < 0)
			err_set(err, ERR_SETUP, -r, "%s: cannot be sealed: %s", changes->list.at[i].path, strerror(-r));
	}
	seals_sort(seals);
	return r < 0 || added == 0 ? r : seals_store(seals, err);
}

int workspace_seal(struct workspace *workspace, struct err *err)
{
	autochanges struct changes changes = { 0 };
	autoseals struct seals seals = { 0 };
	int r = workspace_need_lock(workspace, err);

	if (r == 0)
		r = workspace_changes(workspace, &changes, err);
	if (r == 0)
		r = seals_open(workspace, &seals, err);
	return r < 0 ? r : seals_take(&seals, &changes, NULL, err);
}
