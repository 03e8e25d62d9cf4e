/*
 * Theory of operation. The keeper is a client of the session's that happens to have nobody behind it: it holds the exec's socket, so that the command is not
 * killed with whoever started it, and its output goes to files. It hears of what it is to do by a fifo in its directory ("stop 5000\n"), which the engine reads for
 * it. SIGTERM is passed on by the engine as every signal that it forwards; when the grace is over an alarm cancels the run.
 */
#include "session/keeper.h"

#include "base/own.h"
#include "engine/live.h"
#include "session/ring.h"
#include "sys/fd.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KEEPER_TELL = 3, KEEPER_DIR, KEEPER_LOCK, KEEPER_FDS, KEEPER_ABOVE = 64, KEEPER_RECORD_MAX = 4 << 20, KEEPER_ARENA_MAX = 64 << 20 };

struct told {
	int result;
	struct err err;
};

struct keeper {
	const struct process_wish *wish;
	struct ring ring[2];
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

static void add_end(struct str *out, const struct session_result *result)
{
	const struct outcome *outcome = &result->outcome;

	str_printf(out, "%d,\"signal\":", outcome->exit_code);
	if (outcome->signal)
		str_printf(out, "%d", outcome->signal);
	else
		str_add(out, "null");
	str_printf(out, ",\"cause\":\"%s\",\"message\":", outcome_cause_name(outcome->cause));
	str_add_json_text(out, result->message);
	str_printf(out, ",\"ended_at_ms\":%llu", (unsigned long long)now_ms());
}

/* result NULL: it runs, or nobody knows how it ended. */
static void write_record(const struct keeper *keeper, const char *status, const struct session_result *result)
{
	autostr struct str out = { 0 };

	str_init(&out, KEEPER_RECORD_MAX);
	str_add(&out, "{\"argv\":[");
	for (const char *const *word = keeper->wish->argv; *word; word++) {
		str_add(&out, word == keeper->wish->argv ? "" : ",");
		str_add_json_text(&out, *word);
	}
	str_printf(&out, "],\"status\":\"%s\",\"started_at_ms\":%llu,\"exit_code\":", status, (unsigned long long)keeper->started_ms);
	if (result)
		add_end(&out, result);
	else
		str_add(&out, "null,\"signal\":null,\"cause\":null,\"message\":null,\"ended_at_ms\":null");
	str_add(&out, "}\n");
	if (!out.failed)
		(void)file_replace_at(KEEPER_DIR, "record", out.text, out.len, false);
}

static void tell_starter(struct keeper *keeper, int result, const struct err *err)
{
	struct told told = { .result = result };

	if (keeper->has_told)
		return;
	keeper->has_told = true;
	if (err)
		told.err = *err;
	(void)fd_write_all(KEEPER_TELL, &told, sizeof(told));
	close(KEEPER_TELL);
}

/* ---- while it runs ---- */

static void stop(struct keeper *keeper, uint64_t grace_ms)
{
	struct itimerval grace = { .it_value = { .tv_sec = (time_t)(grace_ms / 1000), .tv_usec = (suseconds_t)(grace_ms % 1000) * 1000 } };

	if (grace_ms == 0)
		grace.it_value.tv_usec = 1;
	if (!keeper->stopping)
		(void)kill(getpid(), SIGTERM);
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

static void on_event(void *context, const struct session_event *event)
{
	struct keeper *keeper = context;

	if (event->type == SESSION_OUTPUT)
		ring_add(&keeper->ring[event->stream == 2], event->bytes, event->len);
	else if (event->type == SESSION_CONTROL)
		hear(keeper, event->bytes, event->len);
	else if (event->type == SESSION_EXECUTED)
		tell_starter(keeper, 0, NULL);
}

static int open_files(struct keeper *keeper, int *ret_control, struct err *err)
{
	uint64_t room = keeper->wish->log_bytes ? keeper->wish->log_bytes : PROCESSES_LOG_DEFAULT;
	int r = ring_make(KEEPER_DIR, "output", room, &keeper->ring[0]);

	if (r == 0)
		r = ring_make(KEEPER_DIR, "error", room, &keeper->ring[1]);
	if (r == 0 && mkfifoat(KEEPER_DIR, "control", 0600) < 0)
		r = -errno;
	if (r == 0)
		*ret_control = openat(KEEPER_DIR, "control", O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (r == 0 && *ret_control < 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "the files of a process: %s", strerror(-r)) : 0;
}

static int make_input(const struct process_wish *wish, struct err *err)
{
	int fd = wish->input_n ? fd_sealed("coffer-input", wish->input, wish->input_n) : -1;

	if (fd >= 0)
		(void)lseek(fd, 0, SEEK_SET);
	return wish->input_n && fd < 0 ? err_set(err, ERR_LIMIT, -fd, "no memory file for the input: %s", strerror(-fd)) : fd;
}

static int execute(struct keeper *keeper, const struct session *session, const char *id, struct session_result *result, struct err *err)
{
	const struct process_wish *wish = keeper->wish;
	sigset_t forward;
	struct arena arena;
	struct live live;
	int control = -1, r = open_files(keeper, &control, err), input = r < 0 ? r : make_input(wish, err);
	struct session_request request = { .argv = wish->argv,
		                           .env = (const char *const *)environ,
		                           .cwd = wish->cwd,
		                           .stdin_fd = input,
		                           .stdout_fd = -1,
		                           .stderr_fd = -1,
		                           .cancel_fd = cancel_fd,
		                           .control_fd = control,
		                           .rules_fd = -1,
		                           .forward = &forward,
		                           .on_event = on_event,
		                           .context = keeper };
	const struct session_exec exec = { .request = &request, .env = wish->env, .timeout_ms = wish->timeout_ms, .background = true };

	sigemptyset(&forward);
	sigaddset(&forward, SIGTERM);
	arena_init(&arena, KEEPER_ARENA_MAX);
	if (r == 0 && input < 0 && wish->input_n)
		r = input;
	if (r == 0)
		r = sessions_connect(session, id, (const char *const *)environ, true, &live, err);
	return r < 0 ? r : sessions_exec(session, &live, &exec, &arena, result, err);
}

static _Noreturn void keep(const struct session *session, const char *id, const struct process_wish *wish)
{
	struct keeper keeper = { .wish = wish, .started_ms = now_ms() };
	struct session_result result = { 0 };
	struct err err = { 0 };
	int r;

	write_record(&keeper, "running", NULL);
	r = execute(&keeper, session, id, &result, &err);
	if (r == 0 && !keeper.has_told && result.message) {
		r = err_set(&err, ERR_NOTFOUND, result.outcome.exit_code == 127 ? ENOENT : EACCES, "%s", result.message);
		tell_starter(&keeper, r, &err);
		_exit(0);
	}
	tell_starter(&keeper, r, &err); /* if it has not been told yet */
	if (r == 0)
		write_record(&keeper, keeper.stopping ? "stopped" : "exited", &result);
	else
		write_record(&keeper, "stopped", NULL);
	_exit(0);
}

/* ---- its birth ---- */

/* Nothing of whoever started it stays: no descriptor, no terminal, no signal, no directory. */
static int settle(const int fds[3])
{
	const struct sigaction alarm = { .sa_handler = on_alarm };
	autofd int null = fd_open_null();
	int high[3];
	sigset_t held;

	for (int i = 0; i < 3; i++)
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, KEEPER_ABOVE);
	for (int i = 0; i < 3; i++)
		if (null < 0 || high[i] < 0 || dup2(null, i) < 0 || dup3(high[i], KEEPER_TELL + i, O_CLOEXEC) < 0)
			return -EMFILE;
	null = -1;
	fd_close_from(KEEPER_FDS);
	cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigfillset(&held);
	(void)sigprocmask(SIG_UNBLOCK, &held, NULL);
	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &held, NULL);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)prctl(PR_SET_NAME, "coffer-keeper");
	return chdir("/") < 0 || cancel_fd < 0 || sigaction(SIGALRM, &alarm, NULL) < 0 ? -errno : 0;
}

static int hear_of(int pipe_end, struct err *err)
{
	struct told told = { 0 };
	char *to = (char *)&told;
	size_t got = 0;

	while (got < sizeof(told)) {
		ssize_t n = read(pipe_end, to + got, sizeof(told) - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, ERR_INTERNAL, EPIPE, "the process's keeper ended without a word");
		got += (size_t)n;
	}
	if (told.result < 0)
		*err = told.err;
	return told.result;
}

int keeper_start(const struct session *session, const char *id, const struct process_wish *wish, const int dir_and_lock[2], struct err *err)
{
	int ends[2], r = fd_pipe(ends);
	pid_t pid = r < 0 ? -1 : fork();

	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "no process for a keeper: %s", strerror(errno));
	if (pid == 0) {
		const int fds[3] = { ends[1], dir_and_lock[0], dir_and_lock[1] };

		if (setsid() < 0 || fork() != 0 || settle(fds) < 0)
			_exit(0);
		keep(session, id, wish);
	}
	close(ends[1]);
	(void)waitpid(pid, NULL, 0);
	r = hear_of(ends[0], err);
	close(ends[0]);
	return r;
}
