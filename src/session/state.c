#include "session/state.h"

#include "base/own.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int state_run_id(char ret_id[STATE_RUN_ID_MAX], struct err *err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[(STATE_RUN_ID_MAX - 1) / 2];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_set(err, ERR_INTERNAL, errno, "no random numbers for the run's name");
	for (size_t i = 0; i < sizeof(random); i++) {
		ret_id[2 * i] = digits[random[i] >> 4];
		ret_id[2 * i + 1] = digits[random[i] & 15];
	}
	ret_id[STATE_RUN_ID_MAX - 1] = '\0';
	return 0;
}

uint32_t state_run_bits(const char *id)
{
	size_t len = strlen(id);
	return len < 4 ? 0 : (uint32_t)strtoul(id + len - 4, NULL, 16) & 0xffff;
}

static bool owned_by_us(const char *dir)
{
	struct stat st;
	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022);
}

/* Can there be such a directory below this home? */
static bool is_usable(const char *home, const char *below)
{
	char path[PATH_BYTES_MAX + 1];
	if (!home || !path_is_normal(home))
		return false;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", home, below) >= sizeof(path))
		return false;
	return access(path, W_OK) == 0 || (errno == ENOENT && access(home, W_OK) == 0);
}

int state_dir_find(struct arena *arena, const char **ret_dir, struct err *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *home = getenv("HOME");
	const char *dir = NULL;
	if (runtime && path_is_normal(runtime) && owned_by_us(runtime))
		dir = path_join(arena, runtime, "coffer");
	else if (geteuid() == 0)
		dir = arena_dup(arena, "/run/coffer");
	else if (is_usable(home, ".local/state/coffer"))
		dir = path_join(arena, home, ".local/state/coffer");
	else /* no home, or one that cannot be written: inside another sandbox, in a build */
		dir = arena_printf(arena, "/tmp/coffer-state-%u", (unsigned)geteuid());
	if (!dir)
		return err_set(err, ERR_INTERNAL, ENOMEM, "no memory for the state directory's name");
	*ret_dir = dir;
	return 0;
}

int state_data_find(struct arena *arena, const char **ret_dir, struct err *err)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME"), *dir = NULL;

	if (data && path_is_normal(data) && (owned_by_us(data) || access(data, F_OK) < 0))
		dir = path_join(arena, data, "coffer");
	else if (geteuid() == 0)
		dir = arena_dup(arena, "/var/lib/coffer");
	else if (is_usable(home, ".local/share/coffer"))
		dir = path_join(arena, home, ".local/share/coffer");
	else
		dir = arena_printf(arena, "/var/tmp/coffer-data-%u", (unsigned)geteuid());
	if (!dir)
		return err_set(err, ERR_INTERNAL, ENOMEM, "no memory for the data directory's name");
	*ret_dir = dir;
	return 0;
}

/* The directories above: as missing ones of a home are made by others too. Theirs to answer for; only the last one is checked. */
static void make_parents(const char *dir)
{
	char path[PATH_BYTES_MAX + 1];
	size_t len = strlen(dir);
	if (len >= sizeof(path))
		return;
	memcpy(path, dir, len + 1);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
}

static int make_owned(const char *dir, mode_t mode, struct err *err)
{
	if (mkdir(dir, mode) < 0 && errno == ENOENT) {
		make_parents(dir);
		(void)mkdir(dir, mode);
	}
	autofd int fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_SETUP, errno, "%s: cannot be made: %s; set XDG_RUNTIME_DIR to a directory of your own", dir,
		               strerror(errno));
	if (st.st_uid != geteuid())
		return err_set(err, ERR_DENIED, EPERM,
		               "%s belongs to user %u: remove it, or set XDG_RUNTIME_DIR to a directory of your own", dir,
		               (unsigned)st.st_uid);
	if (st.st_mode & ~mode & 0777)
		return err_set(err, ERR_DENIED, EPERM, "%s may be entered by others (mode %04o): chmod %04o it", dir,
		               (unsigned)st.st_mode & 07777, (unsigned)mode);
	return 0;
}

int state_dir_make(const char *dir, struct err *err)
{
	return make_owned(dir, 0700, err);
}

int state_scratch_find(struct arena *arena, const char *otherwise, const char **ret_dir, struct err *err)
{
	struct stat st;
	const char *dir = arena_printf(arena, "/var/tmp/coffer-%u", (unsigned)geteuid());
	if (!dir)
		return err_set(err, ERR_INTERNAL, ENOMEM, "no memory for the scratch directory's name");
	*ret_dir = otherwise && lstat(dir, &st) == 0 && !owned_by_us(dir) ? otherwise : dir;
	return 0;
}

int state_scratch_make(const char *dir, struct err *err)
{
	return make_owned(dir, geteuid() == 0 ? 0711 : 0700, err);
}
