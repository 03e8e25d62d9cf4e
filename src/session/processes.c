#include "session/processes.h"

#include "base/json.h"
#include "base/num.h"
#include "base/own.h"
#include "compile/compile.h"
#include "engine/keep.h"
#include "engine/ring.h"
#include "session/registry.h"
#include "sys/fd.h"
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

enum { START_ARENA_MAX = 64 << 20, STEP_MS = 10, FORCE_MS = 5000, RECORD_MAX = 4 << 20, PROCESSES_MAX = 10000 };

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

/* What the keeper is told. All but the first are descriptors, in one place so that they are closed together. */
struct handover {
	struct keep_start start;
	int fds[KEEP_START_FDS];
};

static int seal(const char *name, const void *bytes, size_t n, int *ret_fd, struct err *err)
{
	*ret_fd = fd_sealed(name, bytes, n);
	if (*ret_fd < 0)
		return err_set(err, ERR_LIMIT, -*ret_fd, "no memory file for a process: %s", strerror(-*ret_fd));
	(void)lseek(*ret_fd, 0, SEEK_SET);
	return 0;
}

static int seal_words(const struct process_wish *wish, int *ret_fd, struct err *err)
{
	autostr struct str words = { 0 };

	str_init(&words, RECORD_MAX / 2);
	for (const char *const *word = wish->argv; *word; word++) {
		str_add(&words, word == wish->argv ? "[" : ",");
		str_add_json_text(&words, *word);
	}
	str_add_char(&words, ']');
	if (words.failed)
		return err_set(err, ERR_LIMIT, E2BIG, "the command has too many words");
	return seal("coffer-words", words.text, words.len, ret_fd, err);
}

static int seal_plan(const struct plan *template, const struct process_wish *wish, int *ret_fd, struct err *err)
{
	enum { EVERY_STREAM = 7 };
	const struct compile_again again = { .argv = wish->argv,
		                             .env = wish->env,
		                             .cwd = wish->cwd,
		                             .terminal = wish->rows ? EVERY_STREAM : 0,
		                             .timeout_ms = wish->timeout_ms };
	struct arena arena;
	struct plan plan;
	int r;

	arena_init(&arena, START_ARENA_MAX);
	r = compile_exec(template, &again, &arena, &plan, err);
	if (r == 0)
		r = seal("coffer-plan", plan.head, plan.size, ret_fd, err);
	arena_done(&arena);
	return r;
}

static int hand_over(const struct session *session, const char *id, const struct process_wish *wish, struct handover *to, struct err *err)
{
	struct live live;
	int r = sessions_connect(session, id, (const char *const *)environ, true, &live, err);

	if (r < 0)
		return r;
	r = seal_plan(&live.template, wish, &to->fds[KEEP_START_PLAN], err);
	if (r == 0)
		r = seal_words(wish, &to->fds[KEEP_START_WORDS], err);
	if (r == 0)
		r = seal("coffer-input", wish->input_n ? wish->input : "", wish->input_n, &to->fds[KEEP_START_INPUT], err);
	if (r == 0)
		r = state_run_id(to->start.run_id, err);
	if (r == 0 && strlen(session->state_dir) >= sizeof(to->start.state_dir))
		r = err_set(err, ERR_LIMIT, ENAMETOOLONG, "%s: longer than a process can have it", session->state_dir);
	to->start.version = KEEP_VERSION;
	to->start.log_bytes = wish->log_bytes ? wish->log_bytes : PROCESSES_LOG_DEFAULT;
	to->start.rows = wish->rows;
	to->start.columns = wish->columns;
	to->fds[KEEP_START_SESSION] = live.socket;
	if (r == 0) {
		memcpy(to->start.state_dir, session->state_dir, strlen(session->state_dir) + 1);
		r = keep_spawn(&to->start, to->fds, err);
	}
	live_close(&live);
	return r;
}

int processes_start(const struct session *session, const char *id, const struct process_wish *wish, char ret_name[PROCESS_ID_MAX],
                    struct err *err)
{
	struct err own = { 0 };
	struct handover to = { .fds = { -1, -1, -1, -1, -1, -1 } };
	autofd int execs = open_execs(session, id, true, err);
	int r = execs < 0 ? execs : make_dir(execs, ret_name, err);

	if (r < 0)
		return r;

	autofd int dir = openat(execs, ret_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autofd int lock = dir < 0 ? -errno : try_lock(dir, O_CREAT);

	to.fds[KEEP_START_DIR] = dir;
	to.fds[KEEP_START_LOCK] = lock;
	r = lock < 0 ? err_set(err, ERR_SETUP, -lock, "the lock of a process: %s", strerror(-lock))
	             : hand_over(session, id, wish, &to, err ? err : &own);
	own_close(&to.fds[KEEP_START_PLAN]);
	own_close(&to.fds[KEEP_START_WORDS]);
	own_close(&to.fds[KEEP_START_INPUT]);
	if (r < 0)
		(void)file_remove_tree(execs, ret_name);
	return r;
}

/* ---- what they are ---- */

static int print_record(int dir, const char *name, struct str *out)
{
	autofree char *text = malloc(RECORD_MAX);
	ssize_t n = text ? file_read_at(dir, KEEP_RECORD, text, RECORD_MAX) : -ENOMEM;
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
	int r = dir < 0 ? dir : ring_read(dir, KEEP_OUTPUT, &logs[0].bytes, &logs[0].total);

	if (dir < 0)
		return r;
	if (r == 0)
		r = ring_read(dir, KEEP_ERROR, &logs[1].bytes, &logs[1].total);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "session %s: the output of process %s: %s", id, name, strerror(-r)) : 0;
}

int processes_connect(const struct session *session, const char *id, const char *name, int *ret_fd, struct err *err)
{
	autofd int dir = open_one(session, id, name, err);
	int fd = dir < 0 ? dir : keep_connect(dir);

	if (dir < 0)
		return dir;
	if (fd < 0 && fd != -ENOENT && fd != -ECONNREFUSED)
		return err_set(err, fd == -EAGAIN ? ERR_BUSY : ERR_DENIED, -fd, "session %s: process %s: %s", id, name, strerror(-fd));
	*ret_fd = fd < 0 ? -1 : fd;
	return 0;
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
	autofd int control = openat(dir, KEEP_CONTROL, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
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
