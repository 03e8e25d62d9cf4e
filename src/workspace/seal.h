/*
 * seal.h: how the base was, for those paths that a workspace has changed, so that apply can tell when somebody else changed them too.
 *
 * A seal is made while there is proof that the file is as it was when the workspace began (clock.h; for a stage, the manifest); from then on content
 * decides. A path without seal and proof is unknown, and unknown is treated as changed.
 */
#ifndef COFFER_WORKSPACE_SEAL_H
#define COFFER_WORKSPACE_SEAL_H

#include "workspace/clock.h"
#include "workspace/part.h"

struct seal {
	const char *path;
	uint32_t type; /* S_IFMT's bits; 0: there was nothing */
	uint32_t mode;
	int64_t ctime_ns;
	uint8_t hash[SHA256_BYTES]; /* of a file's content or a link's text */
};
VEC(struct seal, seal_vec)

/* All that can be known about the base. */
struct seals {
	struct workspace *workspace;
	struct arena arena;
	struct seal_vec list; /* sorted by path, but for what was added last */
	size_t sorted;
	struct stage_entry_vec manifest; /* of a stage */
	int64_t wall_ns;
	struct workspace_clock clock;
};
int seals_open(struct workspace *workspace, struct seals *ret_seals, struct err *err);
void seals_done(struct seals *seals);
#define autoseals __attribute__((cleanup(seals_done)))
int seals_store(struct seals *seals, struct err *err);

enum seal_verdict {
	SEAL_KEPT,    /* as it was */
	SEAL_BROKEN,  /* changed by somebody else */
	SEAL_UNKNOWN, /* there is no proof either way */
};
/* `now` is what is at the path in the base. A negative errno when it cannot be read. */
int seals_judge(const struct seals *seals, const char *path, const struct entry *now);
const struct seal *seals_find(const struct seals *seals, const char *path);
/* Seals what is at the path in the base now, in place of any earlier seal. */
int seals_put(struct seals *seals, const char *path);
/* The same for one that has been looked at, and whose content is known. */
int seals_put_known(struct seals *seals, const char *path, const struct entry *entry, const uint8_t *hash);
/* There is no proof any more of what is at the path. */
void seals_drop(struct seals *seals, const char *path);
/* What has been put is found after this. */
void seals_sort(struct seals *seals);
/* Seals, of what these changes rest on, what can be proven, and stores it. `skip`: by number, which are left out; or NULL. */
int seals_take(struct seals *seals, const struct changes *changes, const bool *skip, struct err *err);

/* Seals the base of every change that can be proven: to be called after each exec, under the lock. */
int workspace_seal(struct workspace *workspace, struct err *err);

#endif
