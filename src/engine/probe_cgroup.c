#include "engine/probe.h"

#include "base/own.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PLACE_MAX = 4096, OWN_MAX = 16 << 10 };

static const char top[] = "/sys/fs/cgroup";

static bool is_file_system(const char *path, unsigned long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

static bool exists_below(const char *dir, const char *name)
{
	char path[PLACE_MAX];

	return (size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) < sizeof(path) && access(path, F_OK) == 0;
}

static bool is_writable_below(const char *dir, const char *name)
{
	char path[PLACE_MAX];

	return (size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) < sizeof(path) && access(path, W_OK) == 0;
}

/* Is word one of the words of list, which are parted by any of the separators? */
static bool has_word(const char *list, size_t list_len, const char *word, const char *separators)
{
	size_t word_len = strlen(word);

	for (size_t at = 0; at < list_len;) {
		size_t len = strcspn(list + at, separators);

		if (at + len > list_len)
			len = list_len - at;
		if (len == word_len && memcmp(list + at, word, len) == 0)
			return true;
		at += len + 1;
	}
	return false;
}

/*
 * The caller's cgroup in the hierarchy of a version 1 controller, or with "" that of version 2, from the text of /proc/self/cgroup:
 * lines of "number:controllers:path", "0::path" for version 2.
 */
static bool find_own(const char *own, const char *controller, char ret_path[PLACE_MAX])
{
	for (const char *line = own; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';

		const char *list = strchr(line, ':');
		const char *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			return false;

		size_t list_len = (size_t)(path - list - 1), path_len = strcspn(path + 1, "\n");
		bool found = *controller ? has_word(list + 1, list_len, controller, ",:") : list_len == 0;

		if (found && path_len < PLACE_MAX) {
			memcpy(ret_path, path + 1, path_len);
			ret_path[path_len] = '\0';
			return true;
		}
	}
	return false;
}

/* Is this process in the cgroup? */
__attribute__((noinline)) static bool is_inside(const char *dir)
{
	char text[64 << 10], path[PLACE_MAX], self[3 * sizeof(pid_t) + 2];

	if ((size_t)snprintf(path, sizeof(path), "%s/cgroup.procs", dir) >= sizeof(path))
		return false;

	ssize_t n = file_read_at(AT_FDCWD, path, text, sizeof(text));

	snprintf(self, sizeof(self), "%d", (int)getpid());
	return n > 0 && has_word(text, (size_t)n, self, "\n");
}

/*
 * mount + path, written to ret_dir, where it is on a file system of this kind. In a container with its own mount of the caller's cgroup, but
 * without a cgroup namespace, the path starts above what is mounted: then the mount itself is the place, when this process is in it.
 */
static bool find_place(const char *mount, const char *path, unsigned long magic, char ret_dir[PLACE_MAX])
{
	if (strcmp(path, "/") == 0)
		path = "";
	if ((size_t)snprintf(ret_dir, PLACE_MAX, "%s%s", mount, path) >= PLACE_MAX)
		return false;
	if (is_file_system(ret_dir, magic))
		return true;
	snprintf(ret_dir, PLACE_MAX, "%s", mount);
	return is_file_system(ret_dir, magic) && is_inside(ret_dir);
}

/* ---- version 1: a hierarchy a controller, where a directory that can be written is enough ---- */

static int probe_v1(struct arena *arena, const char *own, const char *controller, struct facts_controller *ret)
{
	char mount[PLACE_MAX], path[PLACE_MAX], dir[PLACE_MAX];

	snprintf(mount, sizeof(mount), "%s/%s", top, controller);
	if (!find_own(own, controller, path) || !find_place(mount, path, CGROUP_SUPER_MAGIC, dir) || access(dir, W_OK) < 0)
		return 0;
	ret->version = FACTS_CGROUP_V1;
	ret->dir = arena_dup(arena, dir);
	return ret->dir ? 0 : -ENOMEM;
}

/* ---- version 2: one hierarchy; a directory offers what it hands down ---- */

/* A directory of version 2, and the controllers that a cgroup below it would have. */
struct offer {
	char dir[PLACE_MAX];
	bool usable; /* a cgroup can be made in it and processes moved there */
	char controllers[512];
};

/*
 * The real root hands down more when asked, for it may hold processes as well (cgroup_set asks); every other directory that this process could
 * be in, or that has processes, cannot. Only the real root has no type.
 */
static void examine(struct offer *offer)
{
	char path[PLACE_MAX + sizeof("/cgroup.subtree_control")], type[32];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/cgroup.type", offer->dir);
	n = file_read_at(AT_FDCWD, path, type, sizeof(type));

	bool is_root = n == -ENOENT;

	offer->usable = (is_root || (n > 0 && strcmp(type, "domain\n") == 0)) && access(offer->dir, W_OK) == 0 &&
	                is_writable_below(offer->dir, "cgroup.procs");
	snprintf(path, sizeof(path), "%s/%s", offer->dir, is_root ? "cgroup.controllers" : "cgroup.subtree_control");
	n = offer->usable ? file_read_at(AT_FDCWD, path, offer->controllers, sizeof(offer->controllers)) : 0;
	if (n <= 0)
		offer->controllers[0] = '\0';
}

static bool offers(const struct offer *offer, const char *controller)
{
	return has_word(offer->controllers, strlen(offer->controllers), controller, " \n");
}

static int count_offers(const struct offer *offer)
{
	return offers(offer, "memory") + offers(offer, "pids") + offers(offer, "cpu");
}

/* The better of the caller's own cgroup and the one above. A process is in one cgroup only, so all controllers come from the same. */
static bool find_v2(const char *own, struct offer *ret)
{
	struct offer above;
	char mount[PLACE_MAX], path[PLACE_MAX];

	snprintf(mount, sizeof(mount), "%s%s", top, is_file_system(top, CGROUP2_SUPER_MAGIC) ? "" : "/unified");
	if (!find_own(own, "", path) || !find_place(mount, path, CGROUP2_SUPER_MAGIC, ret->dir))
		return false;
	examine(ret);
	if (strcmp(ret->dir, mount) == 0)
		return ret->usable;
	above = *ret;
	*strrchr(above.dir, '/') = '\0';
	examine(&above);
	if (above.usable && (!ret->usable || count_offers(&above) > count_offers(ret)))
		*ret = above;
	return ret->usable;
}

static int take_offer(struct arena *arena, const struct offer *offer, struct facts *facts)
{
	struct {
		const char *name;
		struct facts_controller *fact;
	} wanted[] = { { "memory", &facts->memory }, { "pids", &facts->pids }, { "cpu", &facts->cpu }, { NULL, &facts->freezer } };
	const char *dir = arena_dup(arena, offer->dir);

	if (!dir)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		if (wanted[i].fact->version != FACTS_CGROUP_NONE || (wanted[i].name && !offers(offer, wanted[i].name)))
			continue;
		*wanted[i].fact = (struct facts_controller){ .version = FACTS_CGROUP_V2, .dir = dir };
	}
	return 0;
}

__attribute__((noinline)) static int probe_v2(struct arena *arena, const char *own, struct facts *facts)
{
	struct offer offer;

	return find_v2(own, &offer) ? take_offer(arena, &offer, facts) : 0;
}

/* The root of version 2 has no limits of its own: there the kernel's ability to swap stands for the file. */
static bool accounts_swap(const struct facts *facts)
{
	switch (facts->memory.version) {
	case FACTS_CGROUP_V1:
		return exists_below(facts->memory.dir, "memory.memsw.limit_in_bytes");
	case FACTS_CGROUP_V2:
		return exists_below(facts->memory.dir, "cgroup.type") ? exists_below(facts->memory.dir, "memory.swap.max")
		                                                      : access("/proc/swaps", F_OK) == 0;
	default:
		return false;
	}
}

/* Mounted together, which is usual, they are two names of one directory. */
static void join_accounts(struct facts *facts)
{
	struct stat cpu, account;

	if (facts->cpu.version == FACTS_CGROUP_V1 && facts->cpuacct.version == FACTS_CGROUP_V1 && stat(facts->cpu.dir, &cpu) == 0 &&
	    stat(facts->cpuacct.dir, &account) == 0 && cpu.st_dev == account.st_dev && cpu.st_ino == account.st_ino)
		facts->cpuacct = facts->cpu;
}

int probe_cgroups(struct arena *arena, struct facts *facts)
{
	char *own = arena_alloc(arena, OWN_MAX);
	unsigned found = 0;
	int r = 0;

	if (!own)
		return -ENOMEM;
	if (file_read_at(AT_FDCWD, "/proc/self/cgroup", own, OWN_MAX) < 0)
		return 0;

	struct {
		const char *name;
		struct facts_controller *fact;
	} wanted[] = { { "memory", &facts->memory }, { "pids", &facts->pids }, { "cpu", &facts->cpu }, { "freezer", &facts->freezer } };

	for (size_t i = 0; i < ARRAY_LEN(wanted) && r == 0; i++) {
		r = probe_v1(arena, own, wanted[i].name, wanted[i].fact);
		found += wanted[i].fact->version != FACTS_CGROUP_NONE;
	}
	if (r == 0 && found < ARRAY_LEN(wanted))
		r = probe_v2(arena, own, facts);
	if (r == 0)
		r = probe_v1(arena, own, "cpuacct", &facts->cpuacct);
	join_accounts(facts);
	facts->swap_accounting = accounts_swap(facts);
	return r;
}
