#include "unit/workspace/top.h"

#include "base/own.h"
#include "workspace/tree.h"

#include <sys/xattr.h>
#include <time.h>

char top_path[64], top_base[80], top_data[80];
int top_fd = -1;

int top_make(void **state)
{
	(void)state;
	snprintf(top_path, sizeof(top_path), "/tmp/coffer-unit-XXXXXX");
	if (!mkdtemp(top_path))
		return -1;
	snprintf(top_base, sizeof(top_base), "%s/base", top_path);
	snprintf(top_data, sizeof(top_data), "%s/data", top_path);
	top_fd = open(top_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top_fd < 0 || mkdir(top_base, 0755) < 0 ? -1 : 0;
}

int top_drop(void **state)
{
	(void)state;
	close(top_fd);

	int r = file_remove_tree(AT_FDCWD, top_path);

	return r == 0 || r == -ENOENT ? 0 : -1;
}

static void make_parents(const char *path)
{
	char part[512];

	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(top_fd, part, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
}

void top_put(const char *path, const char *text)
{
	make_parents(path);

	int fd = openat(top_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void top_mkdir(const char *path, mode_t mode)
{
	make_parents(path);
	assert_int_equal(mkdirat(top_fd, path, mode), 0);
	assert_int_equal(fchmodat(top_fd, path, mode, 0), 0);
}

void top_link(const char *path, const char *target)
{
	make_parents(path);
	assert_int_equal(symlinkat(target, top_fd, path), 0);
}

void top_whiteout(const char *path)
{
	make_parents(path);
	assert_int_equal(tree_make_whiteout(top_fd, path), 0);
}

void top_opaque(const char *path)
{
	int fd = openat(top_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(tree_make_opaque(fd), 0);
	close(fd);
}

void top_chmod(const char *path, mode_t mode)
{
	assert_int_equal(fchmodat(top_fd, path, mode, 0), 0);
}

void top_time(const char *path, time_t mtime)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = mtime } };

	assert_int_equal(utimensat(top_fd, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

void top_remove(const char *path)
{
	assert_int_equal(file_remove_tree(top_fd, path), 0);
}

bool top_has(const char *path)
{
	struct stat st;

	return fstatat(top_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void top_expect(const char *path, const char *text)
{
	char found[4096];
	int fd = openat(top_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, found, sizeof(found) - 1);

	if (n < 0)
		fail_msg("%s is not there", path);
	found[n] = '\0';
	close(fd);
	assert_string_equal(found, text);
}

void top_tick(void)
{
	struct timespec step = { .tv_nsec = 12000000 };

	nanosleep(&step, NULL);
}

static void digest_one(struct sha256 *h, int root, const char *path, struct arena *arena)
{
	struct entry entry;
	uint8_t hash[SHA256_BYTES] = { 0 };
	char line[128];

	assert_int_equal(entry_look(root, path, &entry), 0);
	if (entry.kind == ENTRY_FILE) {
		int fd = entry_open_file(root, path);

		assert_true(fd >= 0);
		assert_int_equal(content_hash(fd, entry.size, hash), 0);
		close(fd);
	}
	snprintf(line, sizeof(line), "%u %o %lld", entry.type, entry.mode, (long long)entry.mtime_ns);
	sha256_add(h, path, strlen(path) + 1);
	if (*path) /* the top's time is nobody's */
		sha256_add(h, line, strlen(line));
	sha256_add(h, hash, sizeof(hash));
	if (entry.kind == ENTRY_LINK) {
		const char *target;

		assert_int_equal(entry_read_link(root, path, arena, &target), 0);
		sha256_add(h, target, strlen(target) + 1);
	}
}

static void digest_dir(struct sha256 *h, int root, const char *path, struct arena *arena)
{
	struct text_vec names = { 0 };

	digest_one(h, root, path, arena);
	assert_int_equal(entry_names(root, path, arena, &names), 0);
	entry_sort_names(&names);
	for (size_t i = 0; i < names.n; i++) {
		const char *child = *path ? arena_printf(arena, "%s/%s", path, names.at[i]) : names.at[i];
		struct entry entry;

		assert_int_equal(entry_look(root, child, &entry), 0);
		if (entry.kind == ENTRY_DIR)
			digest_dir(h, root, child, arena);
		else
			digest_one(h, root, child, arena);
	}
}

void top_digest(const char *path, char ret_hex[65])
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 h;
	struct arena arena;
	int root = openat(top_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(root >= 0);
	arena_init(&arena, 64 << 20);
	sha256_init(&h);
	digest_dir(&h, root, "", &arena);
	sha256_done(&h, digest);
	sha256_hex(digest, ret_hex);
	arena_done(&arena);
	close(root);
}

struct workspace *top_workspace(enum workspace_mode mode)
{
	struct workspace_options options = { .base = top_base, .mode = mode };
	struct workspace *workspace;
	struct err err = { 0 };

	top_tick();
	if (workspace_create(top_data, &options, &workspace, &err) < 0)
		fail_msg("%s", err.text);
	top_tick();
	return workspace;
}

const char *top_upper(const struct workspace *workspace, const char *path)
{
	static char text[512];
	const char *dir = workspace->record.mode == WORKSPACE_STAGE ? "stage" : "upper";

	snprintf(text, sizeof(text), "data/workspaces/%s/%s%s%s", workspace->record.id, dir, *path ? "/" : "", path);
	return text;
}
