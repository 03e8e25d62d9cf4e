#include "inspect/inspect.h"

#include "base/own.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS_MAX = 8, RUN_BYTES = 512 << 10, RUN_PROGRAMS = 64, PIPE_BYTES = 1 << 20 };
enum { ARENA_MAX = 700 << 20, ANSWER_MAX = 8 << 20, ANSWERS_MAX = RUN_PROGRAMS * ANSWER_MAX / 8, HEAD_ROOM = 32 };
enum { MALLOC_KEEPS = 1 << 30, MALLOC_PAD = 8 << 20 };

/* Who reads programs[first, last). */
struct worker {
	pid_t pid;
	int from;
	size_t first, last;
};

/* ---- inside a worker ---- */

static int answer(const struct inspect *inspect, size_t i, int to)
{
	struct verify_request request = inspect->request;
	struct verify_report report;
	struct arena arena;
	struct err err;
	autostr struct str out = { 0 }, head = { 0 };
	int r;

	request.language = inspect->programs.at[i].language;
	request.text = inspect->programs.at[i].text;
	request.n = inspect->programs.at[i].n;
	arena_init(&arena, ARENA_MAX);
	str_init(&out, ANSWER_MAX);
	str_init(&head, HEAD_ROOM);
	r = verify(&request, &arena, &report, &err);
	if (r == 0)
		r = verify_print(&request, &report, &arena, &out);
	arena_done(&arena);
	if (r < 0)
		return r;
	str_printf(&head, "%zu\n", out.len);
	r = fd_write_all(to, head.text, head.len);
	return r < 0 ? r : fd_write_all(to, out.text, out.len);
}

static _Noreturn void work(const struct inspect *inspect, const struct worker *worker, int to)
{
	int r = inspect_confine();

	/* The parser takes and gives back much, and this process is short: nothing goes back to the kernel meanwhile. */
	(void)mallopt(M_MMAP_THRESHOLD, MALLOC_KEEPS);
	(void)mallopt(M_TRIM_THRESHOLD, MALLOC_KEEPS);
	(void)mallopt(M_TOP_PAD, MALLOC_PAD);

	for (size_t i = worker->first; r == 0 && i < worker->last; i++)
		r = answer(inspect, i, to);
	_exit(r < 0 ? INSPECT_FAILED : 0);
}

/* ---- outside ---- */

static size_t end_of_run(const struct inspect *inspect, size_t first)
{
	size_t bytes = 0, last = first;

	while (last < inspect->programs.n && last - first < RUN_PROGRAMS && (last == first || bytes < RUN_BYTES))
		bytes += inspect->programs.at[last++].n;
	return last;
}

static int start(const struct inspect *inspect, size_t first, size_t last, struct worker *ret_worker)
{
	struct worker worker = { .from = -1, .first = first, .last = last };
	int ends[2];
	int r = fd_pipe(ends);

	if (r < 0)
		return r;
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
	worker.pid = process_fork();
	if (worker.pid == 0) {
		close(ends[0]);
		work(inspect, &worker, ends[1]);
	}
	close(ends[1]);
	if (worker.pid < 0) {
		close(ends[0]);
		return -EAGAIN;
	}
	worker.from = ends[0];
	*ret_worker = worker;
	return 0;
}

static int collect(int from, struct str *out)
{
	char bytes[64 << 10];
	ssize_t got;

	while ((got = read(from, bytes, sizeof(bytes))) != 0) {
		if (got < 0 && errno != EINTR)
			return -errno;
		str_add_n(out, bytes, got > 0 ? (size_t)got : 0);
	}
	return out->failed ? -ENOMEM : 0;
}

/* How many whole answers these are, at most `most`; *ret_bytes is how long they are. What a worker says is not believed to be well formed. */
static size_t count_answers(const struct str *out, size_t most, size_t *ret_bytes)
{
	size_t n = 0, at = 0;

	while (n < most) {
		char *end;
		unsigned long long bytes = strtoull(out->text + at, &end, 10);
		if (end == out->text + at || *end != '\n' || bytes > out->len - (size_t)(end + 1 - out->text))
			break;
		at = (size_t)(end + 1 - out->text) + bytes;
		n++;
	}
	*ret_bytes = at;
	return n;
}

static int tell_failure(int status)
{
	static const char memory[] = "memory", time[] = "time", other[] = "crash";
	const char *why = other;
	autostr struct str body = { 0 }, line = { 0 };

	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		why = time;
	else if (WIFEXITED(status) || WTERMSIG(status) == SIGABRT)
		why = memory;
	str_init(&body, HEAD_ROOM * 2);
	str_init(&line, HEAD_ROOM * 4);
	str_printf(&body, "{\"error\":\"%s\"}", why);
	str_printf(&line, "%zu\n%s", body.len, body.text);
	return fd_write_all(STDOUT_FILENO, line.text, line.len);
}

/* Passes on what a worker has said. Where it fell silent there is an error, and *ret_next is the program behind. */
static int finish(struct worker *worker, size_t *ret_next)
{
	autostr struct str out = { 0 };
	size_t bytes = 0, n = 0;
	int status = 0, r;

	str_init(&out, ANSWERS_MAX);
	r = collect(worker->from, &out);
	own_close(&worker->from);
	while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r == 0)
		n = count_answers(&out, worker->last - worker->first, &bytes);
	r = fd_write_all(STDOUT_FILENO, out.text, bytes);
	*ret_next = worker->first + n;
	if (r == 0 && *ret_next < worker->last) {
		r = tell_failure(status);
		*ret_next += 1;
	}
	return r;
}

/* A worker's run to its end, with as many workers as it takes. */
static int finish_run(const struct inspect *inspect, struct worker *worker)
{
	size_t last = worker->last, next;
	int r = finish(worker, &next);

	while (r == 0 && next < last) {
		r = start(inspect, next, last, worker);
		if (r == 0)
			r = finish(worker, &next);
	}
	return r;
}

int inspect_all(struct inspect *inspect)
{
	struct worker workers[WORKERS_MAX];
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t most = processors < 1 ? 1 : (size_t)(processors < WORKERS_MAX ? processors : WORKERS_MAX), begun = 0, ended = 0, next = 0;
	int r = 0;

	while (r == 0 && (next < inspect->programs.n || ended < begun)) {
		if (next < inspect->programs.n && begun - ended < most) {
			size_t last = end_of_run(inspect, next);
			r = start(inspect, next, last, &workers[begun++ % most]);
			next = last;
		} else {
			r = finish_run(inspect, &workers[ended++ % most]);
		}
	}
	return r;
}
