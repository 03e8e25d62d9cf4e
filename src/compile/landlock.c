/*
 * Theory of operation. Landlock grants rights below a path and takes none away, so a rule at a directory holds for all that is in it.
 *
 * On rung one it is the second wall, behind the mounts: each region grants what its mount allows. A hidden place inside a shown one
 * is granted with it, but what is there is the mask; a read-only place inside a writable one likewise has its mount. So the
 * second wall never stands before the first.
 *
 * On rung two (carve.c) it is the only wall of the file system.
 */
#include "compile/landlock.h"

#include "compile/stage.h"

/* As in linux/landlock.h, of which older ones do not have all. */
#define EXECUTE (1u << 0)
#define WRITE_FILE (1u << 1)
#define READ_FILE (1u << 2)
#define READ_DIR (1u << 3)
#define MAKE_CHAR (1u << 6)
#define MAKE_SOCK (1u << 9)
#define MAKE_BLOCK (1u << 11)
#define REFER (1u << 13)
#define TRUNCATE (1u << 14)
#define IOCTL_DEV (1u << 15)
#define BIND_TCP (1u << 0)
#define CONNECT_TCP (1u << 1)
#define SCOPE_ABSTRACT_UNIX (1u << 0)
#define SCOPE_SIGNAL (1u << 1)

enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_NETWORK = 4, ABI_IOCTL = 5, ABI_SCOPES = 6, ABI_MOST = 7 };

static const uint64_t first_rights = REFER - 1; /* ABI 1 */
static const uint64_t file_rights = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;
static const uint64_t read_rights = EXECUTE | READ_FILE | READ_DIR;

static uint64_t handled_rights(uint32_t abi)
{
	uint64_t rights = first_rights;

	if (abi >= ABI_REFER)
		rights |= REFER;
	if (abi >= ABI_TRUNCATE)
		rights |= TRUNCATE;
	return abi >= ABI_IOCTL ? rights | IOCTL_DEV : rights;
}

uint64_t landlock_read_rights(bool is_dir)
{
	return is_dir ? read_rights : read_rights & file_rights;
}

uint64_t landlock_list_rights(void)
{
	return READ_DIR;
}

/* Never device nodes. */
uint64_t landlock_write_rights(bool is_dir)
{
	uint64_t all = (handled_rights(ABI_MOST) & ~(uint64_t)(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV)) | read_rights;

	return is_dir ? all : all & file_rights;
}

/* To read, write and control: terminals and the like. */
uint64_t landlock_device_rights(bool is_dir)
{
	return READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV | (is_dir ? EXECUTE | READ_DIR : 0);
}

static uint64_t handled_network(const struct compile *c)
{
	bool refused = c->rung == COMPILE_RUNG_LANDLOCK && network_is_own(c);

	return refused && c->facts->landlock_abi >= ABI_NETWORK ? BIND_TCP | CONNECT_TCP : 0;
}

void landlock_grant(struct compile *c, const char *path, uint64_t rights, const char *why)
{
	rights &= handled_rights(c->facts->landlock_abi);
	/* Half of a socketpair can be bound to a path too: a name that init does not see made, where it makes none. */
	if (!c->policy->network.allow_all_unix_sockets && !c->hands_out_sockets)
		rights &= ~(uint64_t)MAKE_SOCK;
	if (rights)
		plan_add(&c->plan, OP_LANDLOCK_PATH, why, path, rights);
}

/* ---- rung one ---- */

static bool is_dir(const struct region *region)
{
	return !region->entry || region->entry->kind == SURVEY_DIR;
}

static uint64_t fresh_rights(const struct region *region)
{
	if (strcmp(region->path, "/proc") == 0)
		return landlock_read_rights(true) | WRITE_FILE | TRUNCATE; /* of itself: comm, oom_score_adj */
	if (strcmp(region->path, "/dev") == 0)
		return landlock_device_rights(true);
	return region->access == ACCESS_WRITE ? landlock_write_rights(true) : landlock_read_rights(true);
}

static uint64_t region_rights(const struct region *region)
{
	if (region->fresh)
		return fresh_rights(region);
	return region->access == ACCESS_WRITE ? landlock_write_rights(is_dir(region)) : landlock_read_rights(is_dir(region));
}

/* What the directory above grants needs no rule of its own. */
static bool is_granted_above(const struct compile *c, const struct region *region)
{
	const struct region *parent = &c->regions.at[region->parent];

	return region != parent && region->access == ACCESS_READ && !region->fresh && !parent->fresh && parent->access != ACCESS_HIDDEN;
}

static void grant_regions(struct compile *c)
{
	const struct region *root = &c->regions.at[0];

	if (root->access == ACCESS_HIDDEN) {
		landlock_grant(c, "/", READ_DIR, root->why);
		landlock_grant(c, "/sys", landlock_read_rights(true), WHY_DEFAULT);
	}
	for (size_t i = 0; i < c->regions.n; i++) {
		const struct region *region = &c->regions.at[i];

		if (region->access != ACCESS_HIDDEN && !is_granted_above(c, region))
			landlock_grant(c, region->path, region_rights(region), region->why);
	}
}

/* ---- both ---- */

static int put_rules(struct compile *c)
{
	uint32_t abi = c->facts->landlock_abi < ABI_MOST ? c->facts->landlock_abi : ABI_MOST;
	uint64_t scopes = abi >= ABI_SCOPES ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0;
	int r = 0;

	plan_add(&c->plan, OP_LANDLOCK_OPEN, WHY_DEFAULT, (uint64_t)abi, handled_rights(abi), handled_network(c), scopes);
	if (c->rung == COMPILE_RUNG_LANDLOCK)
		r = carve_regions(c);
	else
		grant_regions(c);
	if (r == 0)
		plan_add(&c->plan, OP_LANDLOCK_ENTER, WHY_DEFAULT);
	return r;
}

static int weaken_second_wall(struct compile *c)
{
	if (c->facts->landlock_abi == 0)
		return compile_weaken(c, WHY_DEFAULT, "Landlock is off, so the mounts stand alone");
	return compile_weaken(c, WHY_DEFAULT, "Landlock ABI 1 forbids renames between directories, so the mounts stand alone");
}

static int weaken_first_wall(struct compile *c)
{
	uint32_t abi = c->facts->landlock_abi;
	int r = 0;

	if (abi < ABI_REFER)
		r = compile_weaken(c, WHY_DEFAULT, "Landlock ABI 1: files cannot be renamed or linked between directories");
	if (r == 0 && abi < ABI_TRUNCATE)
		r = compile_weaken(c, WHY_DEFAULT, "Landlock ABI %u: files that cannot be written can be emptied", abi);
	if (r == 0 && c->facts->sandbox_uid) /* owns nothing, and has no other processes */
		return 0;
	if (r == 0)
		r = compile_weaken(
		    c, WHY_DEFAULT,
		    "Landlock does not cover modes, owners, times and extended attributes: those of this user's files can be "
		    "changed from inside, wherever the files are");
	if (r == 0 && abi < ABI_SCOPES)
		r = compile_weaken(c, WHY_DEFAULT,
		                   "Landlock ABI %u: signals reach other processes of this user, coffer's own among them: what these are "
		                   "kept from clearing up may go on",
		                   abi);
	return r;
}

int landlock_put(struct compile *c)
{
	bool first = c->rung == COMPILE_RUNG_LANDLOCK;
	int r = first ? weaken_first_wall(c) : 0;

	plan_add(&c->plan, OP_NO_NEW_PRIVS, WHY_DEFAULT);
	if (c->inputs->kind == COMPILE_EXEC)
		return r; /* it comes to be in the session's domain */
	if (!first && c->facts->landlock_abi < ABI_REFER)
		return weaken_second_wall(c);
	return r == 0 ? put_rules(c) : r;
}
