#include "session/record.h"

#include "base/own.h"
#include "session/state.h"
#include "session/summary.h"
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than the ring: names left by several writers at once. What is beyond is not looked at. */
enum { ENTRIES_MAX = 4 * RECORD_RING_MAX, NAME_MAX_BYTES = 48 };

static const char suffix[] = ".json";

struct entry {
	char name[NAME_MAX_BYTES];
	struct timespec written;
};

struct listing {
	struct entry at[ENTRIES_MAX];
	size_t n;
};

static void close_dir(DIR **slot)
{
	if (*slot)
		closedir(*slot);
}
#define autodir __attribute__((cleanup(close_dir)))

static bool is_record(const char *name)
{
	size_t len = strlen(name), end = sizeof(suffix) - 1;
	return name[0] != '.' && len > end && len < NAME_MAX_BYTES && strcmp(name + len - end, suffix) == 0;
}

/* qsort: newest first. */
static int newer(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->written.tv_sec != y->written.tv_sec)
		return x->written.tv_sec > y->written.tv_sec ? -1 : 1;
	if (x->written.tv_nsec != y->written.tv_nsec)
		return x->written.tv_nsec > y->written.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int open_records(const char *state_dir, bool make, struct err *err)
{
	autofd int state = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND, ENOENT,
		               "no run has been recorded: records hold the runs that had denials or ended by force");
	if (state >= 0 && make)
		(void)mkdirat(state, "records", 0700);
	int fd = state < 0 ? -1 : openat(state, "records", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_DENIED, errno, "%s/records: %s", state_dir,
		               errno == ENOENT ? "no run has been recorded yet" : strerror(errno));
	return fd;
}

static int list_records(int dir, struct listing *ret_listing)
{
	ret_listing->n = 0;
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	if (!stream) {
		own_close(&copy);
		return -errno;
	}
	for (struct dirent *item = readdir(stream); item && ret_listing->n < ENTRIES_MAX; item = readdir(stream)) {
		struct stat st;
		if (!is_record(item->d_name) || fstatat(dir, item->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		struct entry *entry = &ret_listing->at[ret_listing->n++];
		memcpy(entry->name, item->d_name, strlen(item->d_name) + 1);
		entry->written = st.st_mtim;
	}
	qsort(ret_listing->at, ret_listing->n, sizeof(ret_listing->at[0]), newer);
	return 0;
}

int record_write(const char *state_dir, const char *run_id, const char *text, size_t n, struct err *err)
{
	char name[NAME_MAX_BYTES];
	if (snprintf(name, sizeof(name), "%s%s", run_id, suffix) >= (int)sizeof(name) || strchr(name, '/'))
		return err_set(err, ERR_USAGE, EINVAL, "\"%s\" is no run's name", run_id);
	int r = state_dir_make(state_dir, err);
	if (r < 0)
		return r;
	autofd int dir = open_records(state_dir, true, err);
	if (dir < 0)
		return dir;
	struct listing listing;
	r = list_records(dir, &listing);
	for (size_t i = RECORD_RING_MAX - 1; r == 0 && i < listing.n; i++)
		(void)unlinkat(dir, listing.at[i].name, 0);
	r = file_replace_at(dir, name, text, n, false);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "record of run %s in %s: %s", run_id, state_dir, strerror(-r)) : 0;
}

/* The one entry that starts with prefix; "" is the newest. */
static int choose(const struct listing *listing, const char *prefix, const char **ret_name, struct err *err)
{
	const char *found = NULL;
	if (listing->n == 0)
		return err_set(err, ERR_NOTFOUND, ENOENT,
		               "no run has been recorded: records hold the runs that had denials or ended by force");
	if (!*prefix)
		found = listing->at[0].name;
	for (size_t i = 0; i < listing->n && *prefix; i++) {
		if (strncmp(listing->at[i].name, prefix, strlen(prefix)) != 0)
			continue;
		if (found)
			return err_set(err, ERR_USAGE, EINVAL, "\"%s\" begins the names of several runs: give more of it", prefix);
		found = listing->at[i].name;
	}
	if (!found)
		return err_set(err, ERR_NOTFOUND, ENOENT, "run \"%s\" is not recorded; the last one that is has the name %.*s", prefix,
		               (int)strcspn(listing->at[0].name, "."), listing->at[0].name);
	*ret_name = found;
	return 0;
}

static int read_file(int dir, const char *name, struct arena *arena, const char **ret_text, size_t *ret_n)
{
	autofd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > SUMMARY_BYTES_MAX)
		return -EINVAL;
	char *text = arena_alloc(arena, (size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	size_t n = 0;
	for (ssize_t got = 1; got > 0 && n<(size_t)st.st_size; n += got> 0 ? (size_t)got : 0) {
		got = read(fd, text + n, (size_t)st.st_size - n);
		if (got < 0)
			return -errno;
	}
	*ret_text = text;
	*ret_n = n;
	return 0;
}

int record_read(const char *state_dir, const char *run_id, struct arena *arena, const char **ret_text, size_t *ret_n, struct err *err)
{
	autofd int dir = open_records(state_dir, false, err);
	struct listing listing;
	const char *name = "";
	if (dir < 0)
		return dir;
	int r = list_records(dir, &listing);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/records: %s", state_dir, strerror(-r));
	r = choose(&listing, run_id ? run_id : "", &name, err);
	if (r < 0)
		return r;
	r = read_file(dir, name, arena, ret_text, ret_n);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/records/%s: %s", state_dir, name, strerror(-r)) : 0;
}
