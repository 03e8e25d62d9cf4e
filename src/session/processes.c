#include "session/processes.h"

#include "base/json.h"
#include "base/num.h"
#include "base/own.h"
#include "session/keeper.h"
#include "session/registry.h"
#include "session/ring.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 10, FORCE_MS = 5000, RECORD_MAX = 4 << 20, PROCESSES_MAX = 10000 };

static uint64_t clock_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- directories ---- */

/* sessions/ID/execs; -ENOENT, without a word, when there is none and none is to be made. */
static int open_execs(const struct session *session, const char *id, bool make, struct err *err)
{
	autofd int top = registry_is_id(id) ? registry_open_top(session->data_dir, false, err) : -EINVAL;
	autofd int dir = top < 0 ? top : registry_open(top, id, err);
	int execs;

	if (top == -EINVAL)
		return err_set(err, ERR_USAGE, EINVAL, "\"%s\" is no name of a session", id);
	if (top == -ENOENT)
		return err_set(err, ERR_NOTFOUND, ENOENT, "session %s: there is none", id);
	if (dir < 0)
		return dir;
	if (make && mkdirat(dir, "execs", 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_SETUP, errno, "session %s: %s", id, strerror(errno));
	execs = openat(dir, "execs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (execs < 0 && !make && errno == ENOENT)
		return -ENOENT;
	return execs < 0 ? err_set(err, ERR_SETUP, errno, "session %s: %s", id, strerror(errno)) : execs;
}

static bool is_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < PROCESS_ID_MAX && strspn(name, "0123456789") == n;
}

static int unknown(const char *id, const char *name, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, ESRCH, "session %s: there is no managed process %s", id, name);
}

static int open_one(const struct session *session, const char *id, const char *name, struct err *err)
{
	struct err own = { 0 };
	autofd int execs = open_execs(session, id, false, &own);
	int dir = execs >= 0 && is_name(name) ? openat(execs, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (own.code)
		return err_set(err, own.code, own.errnum, "%s", own.text);
	return dir < 0 ? unknown(id, name, err) : dir;
}

/* A descriptor that holds it; -EWOULDBLOCK: the keeper does. */
static int try_lock(int dir, int flags)
{
	const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	autofd int lock = openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);

	if (lock < 0 || fcntl(lock, F_OFD_SETLK, &whole) < 0)
		return errno == EACCES ? -EWOULDBLOCK : -errno;
	return TAKE_FD(lock);
}

static bool runs(int dir)
{
	autofd int lock = try_lock(dir, 0);

	return lock == -EWOULDBLOCK;
}

/* ---- starting ---- */

static int make_dir(int execs, char ret_name[PROCESS_ID_MAX], struct err *err)
{
	for (int i = 1; i <= PROCESSES_MAX; i++) {
		(void)snprintf(ret_name, PROCESS_ID_MAX, "%d", i);
		if (mkdirat(execs, ret_name, 0700) == 0)
			return 0;
		if (errno != EEXIST)
			return err_set(err, ERR_SETUP, errno, "no directory for a process: %s", strerror(errno));
	}
	return err_set(err, ERR_LIMIT, EAGAIN, "there are %d managed processes; remove some that are over", PROCESSES_MAX);
}

int processes_start(const struct session *session, const char *id, const struct process_wish *wish, char ret_name[PROCESS_ID_MAX],
                    struct err *err)
{
	struct err own = { 0 };
	autofd int execs = open_execs(session, id, true, err);
	int r = execs < 0 ? execs : make_dir(execs, ret_name, err);

	if (r < 0)
		return r;

	autofd int dir = openat(execs, ret_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autofd int lock = dir < 0 ? -errno : try_lock(dir, O_CREAT);
	const int held[2] = { dir, lock };

	r = lock < 0 ? err_set(err, ERR_SETUP, -lock, "the lock of a process: %s", strerror(-lock))
	             : keeper_start(session, id, wish, held, err ? err : &own);
	if (r < 0)
		(void)file_remove_tree(execs, ret_name);
	return r;
}

/* ---- what they are ---- */

static int print_record(int dir, const char *name, struct str *out)
{
	autofree char *text = malloc(RECORD_MAX);
	ssize_t n = text ? file_read_at(dir, "record", text, RECORD_MAX) : -ENOMEM;
	autojson json_t *record = NULL;
	const char *status;

	if (n < 0)
		return (int)n;
	if (json_read(text, (size_t)n, "record", &record, NULL) < 0 || !json_is_object(record))
		return -EBADMSG;
	status = json_string_value(json_object_get(record, "status"));
	if (!status || (strcmp(status, "running") == 0 && !runs(dir)))
		(void)json_object_set_new(record, "status", json_string("stopped"));
	(void)json_object_set_new(record, "id", json_string(name));

	autofree char *line = json_dumps(record, JSON_COMPACT);

	if (!line)
		return -ENOMEM;
	str_add(out, line);
	return out->failed ? -ENOMEM : 0;
}

static int print_one(const struct session *session, const char *id, const char *name, struct str *out, struct err *err)
{
	autofd int dir = open_one(session, id, name, err);
	int r = dir < 0 ? dir : print_record(dir, name, out);

	if (dir < 0)
		return r;
	if (r == -ENOENT) /* its keeper has not got so far, or never did */
		return unknown(id, name, err);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "session %s: the record of process %s: %s", id, name, strerror(-r)) : 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Their numbers, by malloc. */
static int read_numbers(int execs, unsigned **ret_numbers, size_t *ret_n)
{
	struct file_dir dir;
	const char *name;
	unsigned char type;
	uint64_t number;
	size_t n = 0;
	autofree unsigned *numbers = calloc(PROCESSES_MAX, sizeof(*numbers));

	file_dir_init(&dir, execs);
	while (numbers && n < PROCESSES_MAX && file_dir_next(&dir, &name, &type) > 0)
		if (is_name(name) && num_count(name, &number) == 0 && number <= PROCESSES_MAX)
			numbers[n++] = (unsigned)number;
	if (!numbers)
		return -ENOMEM;
	qsort(numbers, n, sizeof(*numbers), compare_numbers);
	*ret_n = n;
	*ret_numbers = TAKE_PTR(numbers);
	return 0;
}

static int print_all(const struct session *session, const char *id, struct str *out, struct err *err)
{
	struct err own = { 0 };
	autofd int execs = open_execs(session, id, false, &own);
	autofree unsigned *numbers = NULL;
	size_t n = 0;
	bool first = true;

	if (own.code)
		return err_set(err, own.code, own.errnum, "%s", own.text);
	if (execs >= 0 && read_numbers(execs, &numbers, &n) < 0)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for a list");
	str_add_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		char name[PROCESS_ID_MAX];
		autostr struct str one = { 0 };

		str_init(&one, RECORD_MAX);
		(void)snprintf(name, sizeof(name), "%u", numbers[i]);
		if (print_one(session, id, name, &one, NULL) < 0)
			continue;
		str_add(out, first ? "" : ",");
		str_add_n(out, one.text, one.len);
		first = false;
	}
	str_add_char(out, ']');
	return out->failed ? err_set(err, ERR_LIMIT, ENOMEM, "the list of processes is too long") : 0;
}

int processes_print(const struct session *session, const char *id, const char *name, struct str *out, struct err *err)
{
	return name ? print_one(session, id, name, out, err) : print_all(session, id, out, err);
}

int processes_logs(const struct session *session, const char *id, const char *name, struct process_log logs[2], struct err *err)
{
	autofd int dir = open_one(session, id, name, err);
	int r = dir < 0 ? dir : ring_read(dir, "output", &logs[0].bytes, &logs[0].total);

	if (dir < 0)
		return r;
	if (r == 0)
		r = ring_read(dir, "error", &logs[1].bytes, &logs[1].total);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "session %s: the output of process %s: %s", id, name, strerror(-r)) : 0;
}

/* ---- their end ---- */

static bool wait_for_end(int dir, uint64_t timeout_ms)
{
	uint64_t end = timeout_ms ? clock_ms() + timeout_ms : UINT64_MAX;

	while (runs(dir)) {
		if (clock_ms() >= end)
			return false;
		(void)poll(NULL, 0, STEP_MS);
	}
	return true;
}

/* The fifo is the keeper's: where nobody reads it, it is gone. */
static int ask_to_stop(int dir, uint64_t grace_ms)
{
	char word[64];
	autofd int control = openat(dir, "control", O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	int n = snprintf(word, sizeof(word), "stop %llu\n", (unsigned long long)grace_ms);

	if (control < 0)
		return errno == ENXIO || errno == ENOENT ? 0 : -errno;
	return write(control, word, (size_t)n) == n ? 0 : -errno;
}

int processes_stop(const struct session *session, const char *id, const char *name, uint64_t grace_ms, struct err *err)
{
	autofd int dir = open_one(session, id, name, err);
	int r = dir < 0 ? dir : runs(dir) ? ask_to_stop(dir, grace_ms) : 0;

	if (dir < 0)
		return r;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "session %s: process %s: %s", id, name, strerror(-r));
	return wait_for_end(dir, grace_ms + FORCE_MS) ? 0 : err_set(err, ERR_BUSY, EBUSY, "session %s: process %s does not end", id, name);
}

int processes_wait(const struct session *session, const char *id, const char *name, uint64_t timeout_ms, struct err *err)
{
	autofd int dir = open_one(session, id, name, err);

	if (dir < 0)
		return dir;
	return wait_for_end(dir, timeout_ms) ? 0 : err_set(err, ERR_LIMIT, ETIMEDOUT, "session %s: process %s still runs", id, name);
}

int processes_remove(const struct session *session, const char *id, const char *name, struct err *err)
{
	autofd int execs = open_execs(session, id, false, NULL);
	autofd int dir = open_one(session, id, name, err);
	int r;

	if (dir < 0)
		return dir;
	if (runs(dir))
		return err_set(err, ERR_BUSY, EBUSY, "session %s: process %s runs; stop it first", id, name);
	r = file_remove_tree(execs, name);
	return r < 0 && r != -ENOENT ? err_set(err, ERR_SETUP, -r, "session %s: process %s: %s", id, name, strerror(-r)) : 0;
}
