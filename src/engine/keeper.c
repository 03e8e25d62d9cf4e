/*
 * Theory of operation. The keeper is a client of the session's that happens to have nobody behind it. It hears of what it is to do by a fifo in its directory
 * ("stop 5000\n"), which the engine reads for it, and by those who attach, to whom the engine gives it a turn. SIGTERM is passed on by the engine as every signal
 * that it forwards, and so is another size; when the grace is over an alarm cancels the run.
 */
#include "base/own.h"
#include "engine/attach.h"
#include "engine/keep.h"
#include "engine/ring.h"
#include "sys/fd.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_MAX = 4 << 20, ARENA_MAX = 64 << 20, LAST_MS = 5000 };
enum { ALL_STREAMS = 7 };

struct keeper {
	const struct keep_start *start;
	const int *fds;
	const char *words;
	void (*answer)(int result, const struct err *err);
	struct ring ring[2];
	struct attach attach;
	struct winsize size;
	uint64_t started_ms;
	bool stopping, has_told;
	char word[64]; /* of the fifo, until its newline */
	size_t word_n;
};

static int cancel_fd = -1;

static void on_alarm(int number)
{
	static const uint64_t once = 1;
	int saved = errno;

	(void)number;
	(void)!write(cancel_fd, &once, sizeof(once));
	errno = saved;
}

static uint64_t now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- its record ---- */

static void add_end(struct str *out, const struct outcome *outcome)
{
	str_printf(out, "%d,\"signal\":", outcome->exit_code);
	if (outcome->signal)
		str_printf(out, "%d", outcome->signal);
	else
		str_add(out, "null");
	str_printf(out, ",\"cause\":\"%s\",\"message\":null,\"ended_at_ms\":%llu", outcome_cause_name(outcome->cause),
	           (unsigned long long)now_ms());
}

/* outcome NULL: it runs, or nobody knows how it ended. */
static void write_record(const struct keeper *keeper, const char *status, const struct outcome *outcome)
{
	autostr struct str out = { 0 };

	str_init(&out, RECORD_MAX);
	str_printf(&out, "{\"argv\":%s,\"status\":\"%s\",\"terminal\":%s,\"started_at_ms\":%llu,\"exit_code\":", keeper->words, status,
	           keeper->start->rows ? "true" : "false", (unsigned long long)keeper->started_ms);
	if (outcome)
		add_end(&out, outcome);
	else
		str_add(&out, "null,\"signal\":null,\"cause\":null,\"message\":null,\"ended_at_ms\":null");
	str_add(&out, "}\n");
	if (!out.failed)
		(void)file_replace_at(keeper->fds[KEEP_START_DIR], KEEP_RECORD, out.text, out.len, false);
}

static void tell_starter(struct keeper *keeper, int result, const struct err *err)
{
	if (keeper->has_told)
		return;
	keeper->has_told = true;
	keeper->answer(result, err);
}

/* ---- while it runs ---- */

/* A shell at a terminal does not end for SIGTERM, but when its terminal goes away. */
static void stop(struct keeper *keeper, uint64_t grace_ms)
{
	struct itimerval grace = { .it_value = { .tv_sec = (time_t)(grace_ms / 1000), .tv_usec = (suseconds_t)(grace_ms % 1000) * 1000 } };

	if (grace_ms == 0)
		grace.it_value.tv_usec = 1;
	if (!keeper->stopping)
		(void)kill(getpid(), SIGTERM);
	if (!keeper->stopping && keeper->start->rows)
		(void)kill(getpid(), SIGHUP);
	keeper->stopping = true;
	(void)setitimer(ITIMER_REAL, &grace, NULL);
}

static void hear(struct keeper *keeper, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != '\n') {
			if (keeper->word_n < sizeof(keeper->word) - 1)
				keeper->word[keeper->word_n++] = bytes[i];
			continue;
		}
		keeper->word[keeper->word_n] = '\0';
		keeper->word_n = 0;
		if (strncmp(keeper->word, "stop ", 5) == 0)
			stop(keeper, strtoull(keeper->word + 5, NULL, 10));
	}
}

static void on_event(void *context, const struct engine_event *event)
{
	struct keeper *keeper = context;

	switch (event->type) {
	case ENGINE_OUTPUT:
		ring_add(&keeper->ring[event->stream == 2], event->bytes, event->len);
		attach_tell(&keeper->attach);
		break;
	case ENGINE_CONTROL:
		hear(keeper, event->bytes, event->len);
		break;
	case ENGINE_TURN:
		if (attach_turn(&keeper->attach))
			(void)kill(getpid(), SIGWINCH);
		break;
	case ENGINE_EXECUTED:
		tell_starter(keeper, 0, NULL);
		break;
	default:
		break;
	}
}

/* ---- its means ---- */

static int open_files(struct keeper *keeper, int *ret_control)
{
	int dir = keeper->fds[KEEP_START_DIR];
	int r = ring_make(dir, KEEP_OUTPUT, keeper->start->log_bytes, &keeper->ring[0]);

	if (r == 0)
		r = ring_make(dir, KEEP_ERROR, keeper->start->log_bytes, &keeper->ring[1]);
	if (r == 0 && mkfifoat(dir, KEEP_CONTROL, 0600) < 0)
		r = -errno;
	if (r == 0)
		*ret_control = openat(dir, KEEP_CONTROL, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	return r == 0 && *ret_control < 0 ? -errno : r;
}

/* What was given at once is typed first, as far as a pipe takes it: a terminal is no way for large input. */
static int type_first(int keys, int input)
{
	static char bytes[KEEP_KEYS_MAX];
	ssize_t n;

	while ((n = read(input, bytes, sizeof(bytes))) > 0)
		if (write(keys, bytes, (size_t)n) != n)
			return -ENOBUFS;
	return n < 0 ? -errno : 0;
}

/* A terminal has keys; anything else the input that was given, or none. *ret_keys: the end that keys are written to, or -1. */
static int open_input(const struct keeper *keeper, int *ret_input, int *ret_keys)
{
	int given = keeper->fds[KEEP_START_INPUT], ends[2], r;
	struct stat st;

	if (fstat(given, &st) < 0)
		return -errno;
	*ret_keys = -1;
	*ret_input = st.st_size > 0 ? given : -1;
	if (!keeper->start->rows)
		return 0;
	r = fd_pipe(ends);
	if (r < 0)
		return r;
	*ret_input = ends[0];
	*ret_keys = ends[1];
	r = fd_set_nonblocking(ends[1]);
	return r < 0 ? r : type_first(ends[1], given);
}

static int open_all(struct keeper *keeper, struct engine_run_options *options)
{
	bool terminal = keeper->start->rows > 0;
	int r = open_files(keeper, &options->control_fd);

	if (r == 0)
		r = open_input(keeper, &options->stdin_fd, &keeper->attach.keys);
	keeper->size = (struct winsize){ .ws_row = keeper->start->rows, .ws_col = keeper->start->columns };
	keeper->attach.size = terminal ? &keeper->size : NULL;
	options->size = keeper->attach.size;
	if (r == 0)
		r = attach_open(&keeper->attach, keeper->fds[KEEP_START_DIR], keeper->ring, terminal ? 1 : 2);
	options->turn_fd = r == 0 ? keeper->attach.epoll : -1;
	return r;
}

static int settle(sigset_t *forward)
{
	const struct sigaction alarm = { .sa_handler = on_alarm };

	sigemptyset(forward);
	sigaddset(forward, SIGTERM);
	sigaddset(forward, SIGHUP);
	sigaddset(forward, SIGWINCH);
	(void)sigprocmask(SIG_BLOCK, forward, NULL);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_NAME, KEEP_NAME);
	cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return cancel_fd < 0 || sigaction(SIGALRM, &alarm, NULL) < 0 ? -errno : 0;
}

static int execute(struct keeper *keeper, struct outcome *ret_outcome, struct err *err)
{
	struct engine_run_options options;
	struct plan plan;
	struct arena arena;
	sigset_t forward;
	int r;

	engine_run_options_init(&options);
	r = settle(&forward);
	if (r == 0)
		r = live_map_plan(keeper->fds[KEEP_START_PLAN], &plan);
	if (r == 0)
		r = open_all(keeper, &options);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "the keeper of a process: %s", strerror(-r));
	options.cancel_fd = cancel_fd;
	options.forward = &forward;
	options.on_event = on_event;
	options.context = keeper;
	options.session = keeper->fds[KEEP_START_SESSION];
	options.background = true;
	options.run_id = keeper->start->run_id;
	options.state_dir = keeper->start->state_dir;
	arena_init(&arena, ARENA_MAX); /* as long as the process */
	return engine_run(&plan, &options, &arena, ret_outcome, err);
}

static int map_words(int fd, const char **ret_words)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *words = size > 0 && size < RECORD_MAX ? malloc((size_t)size + 1) : NULL;

	if (!words || pread(fd, words, (size_t)size, 0) != (ssize_t)size)
		return -EPROTO;
	words[size] = '\0';
	*ret_words = words;
	return 0;
}

int keeper_run(const struct keep_start *start, const int fds[KEEP_START_FDS], void (*answer)(int result, const struct err *err))
{
	static struct keeper keeper;
	struct outcome outcome = { 0 };
	struct err err = { 0 };
	int r;

	keeper = (struct keeper){
		.start = start, .fds = fds, .answer = answer, .attach = { .epoll = -1, .listener = -1, .keys = -1 }, .started_ms = now_ms()
	};
	r = map_words(fds[KEEP_START_WORDS], &keeper.words);
	if (r < 0) {
		answer(err_set(&err, ERR_INTERNAL, -r, "the words of a process cannot be read"), &err);
		return 1;
	}
	write_record(&keeper, "running", NULL);
	r = execute(&keeper, &outcome, &err);
	if (r == 0 && !keeper.has_told && err.code != ERR_NONE)
		r = -err.errnum;         /* it could not be executed, and err says why: for its starter */
	if (r < 0 && !keeper.has_told) { /* who takes the directory away then */
		tell_starter(&keeper, r, &err);
		return 1;
	}
	write_record(&keeper, r < 0 || keeper.stopping ? "stopped" : "exited", r < 0 ? NULL : &outcome);
	tell_starter(&keeper, 0, NULL);
	close(fds[KEEP_START_LOCK]); /* from here on it is over for everybody else */
	if (keeper.attach.epoll >= 0)
		attach_end(&keeper.attach, LAST_MS);
	return 0;
}
