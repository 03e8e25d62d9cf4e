#include "session/spills.h"

#include "base/own.h"
#include "session/registry.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 10000 };
#define OUTPUT "output"

static int open_dir(const struct session *session, const char *id)
{
	struct err ignored = { 0 };
	autofd int top = registry_open_top(session->data_dir, false, &ignored);
	autofd int dir = top < 0 ? top : registry_open(top, id, &ignored);
	int fd;

	if (dir < 0)
		return dir;
	if (mkdirat(dir, OUTPUT, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir, OUTPUT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* ---- room ---- */

struct tally {
	uint64_t bytes;
	struct timespec oldest_at;
	char oldest[256];
	size_t n;
};

static void count(int fd, struct tally *tally)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	struct stat st;

	*tally = (struct tally){ 0 };
	file_dir_init(&dir, fd);
	while (tally->n < FILES_MAX && file_dir_next(&dir, &name, &type) > 0) {
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || strlen(name) >= sizeof(tally->oldest))
			continue;
		tally->bytes += (uint64_t)st.st_blocks * 512;
		if (tally->n++ == 0 || st.st_mtim.tv_sec < tally->oldest_at.tv_sec ||
		    (st.st_mtim.tv_sec == tally->oldest_at.tv_sec && st.st_mtim.tv_nsec < tally->oldest_at.tv_nsec)) {
			tally->oldest_at = st.st_mtim;
			memcpy(tally->oldest, name, strlen(name) + 1);
		}
	}
}

/* One that a command still writes is as old as its last byte, and so the last to go. */
static void make_room(int fd, uint64_t wanted)
{
	uint64_t most = wanted < SPILLS_ALL_MAX ? SPILLS_ALL_MAX - wanted : 0;
	struct tally tally;

	for (count(fd, &tally); tally.n && (tally.bytes > most || tally.n == FILES_MAX); count(fd, &tally))
		if (unlinkat(fd, tally.oldest, 0) < 0)
			return;
}

/* ---- one command's ---- */

int spills_open(const struct session *session, const char *id, const struct spills_want *want, struct arena *arena,
                struct spills *ret_spills, struct err *err)
{
	static const char *const streams[] = { "stdout", "stderr" };
	struct spills spills = { .dir = -1 };
	char run[STATE_RUN_ID_MAX];
	int r = state_run_id(run, err);

	if (r < 0)
		return r;
	if (want->most == 0 || want->most > SPILL_MOST)
		return err_set(err, ERR_USAGE, ERANGE, "of output that is cut, between 1 byte and %d MiB are passed on", SPILL_MOST >> 20);
	for (int i = 0; i < 2; i++) {
		spills.wish.name[i] = arena_printf(arena, "%s.%s", run, streams[i]);
		spills.path[i] = arena_printf(arena, "%s/sessions/%s/" OUTPUT "/%s.%s", session->data_dir, id, run, streams[i]);
		if (!spills.path[i])
			return err_set(err, ERR_LIMIT, ENOMEM, "no memory for a path");
		spills.wish.mark[i] = want->marks ? spills.path[i] : NULL;
	}
	if (want->file_bytes)
		spills.dir = open_dir(session, id);
	if (spills.dir >= 0)
		make_room(spills.dir, 2 * want->file_bytes);
	spills.wish.dir = spills.dir;
	spills.wish.most = want->most;
	spills.wish.file_bytes = want->file_bytes;
	*ret_spills = spills;
	return 0;
}

void spills_tell(const struct spills *spills, struct outcome *outcome)
{
	for (int i = 0; i < 2; i++)
		if (outcome->spill[i].has_file)
			outcome->spill[i].path = spills->path[i];
}

void spills_close(struct spills *spills)
{
	own_close(&spills->dir);
	spills->dir = -1;
}
