#include "cli/trial.h"

#include "base/num.h"
#include "base/own.h"
#include "cli/command.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	VERDICT_MAX = 256,
	VARIABLE_MAX = 48,
	REPORT_FD = 3,  /* struct trial_report, in memory that the two processes share */
	TRIAL_WORDS = 4 /* session, number, the caller's pid, judge: then the command */
};

/* ---- in the process ---- */

static void keep_end(struct trial_text *text, const char *bytes, size_t n)
{
	size_t skipped = n > TRIAL_TEXT_MAX ? n - TRIAL_TEXT_MAX : 0, excess;
	bytes += skipped;
	n -= skipped;
	excess = text->n + n > TRIAL_TEXT_MAX ? text->n + n - TRIAL_TEXT_MAX : 0;
	memmove(text->at, text->at + excess, text->n - excess);
	memcpy(text->at + text->n - excess, bytes, n);
	text->n += n - excess;
	text->dropped += skipped + excess;
}

/* What is kept of a command's output. */
struct hearing {
	struct trial_text *all;
	struct trial_text output; /* standard output alone */
};

static void hear(void *context, const struct coffer_event *event)
{
	struct hearing *hearing = context;
	if (event->type != COFFER_EVENT_OUTPUT)
		return;
	keep_end(hearing->all, event->bytes, event->len);
	if (event->stream == STDOUT_FILENO)
		keep_end(&hearing->output, event->bytes, event->len);
}

/* A number that is all of the last line; "nan" and "inf" are none. */
static bool read_score(const struct trial_text *text, double *ret_score)
{
	size_t end = text->n, start;
	char line[VERDICT_MAX], *rest;
	while (end && strchr(" \t\r\n", text->at[end - 1]))
		end--;
	for (start = end; start && text->at[start - 1] != '\n'; start--)
		;
	while (start < end && strchr(" \t", text->at[start]))
		start++;
	if (start == end || end - start >= sizeof(line))
		return false;
	memcpy(line, text->at + start, end - start);
	line[end - start] = '\0';
	if (line[strspn(line, "0123456789+-.eE")])
		return false;
	*ret_score = strtod(line, &rest);
	return !*rest && isfinite(*ret_score);
}

struct part {
	const char *const *argv;
	char candidate[VARIABLE_MAX], status[VARIABLE_MAX];
	struct hearing hearing;
};

static int execute(struct coffer_session *session, struct part *part, struct coffer_outcome **ret_outcome, struct coffer_error *error)
{
	const char *const environment[] = { part->candidate, *part->status ? part->status : NULL, NULL };
	struct coffer_request *request = NULL;
	int r = coffer_session_request(session, part->argv, &request, error);
	if (r < 0)
		return r;
	if (*part->candidate)
		coffer_request_environment(request, environment);
	coffer_request_events(request, hear, &part->hearing);
	r = coffer_run(request, ret_outcome, error);
	coffer_request_free(request);
	return r;
}

/* What could not be executed has nothing to be judged. */
static bool was_executed(const struct coffer_outcome *outcome)
{
	return !coffer_outcome_message(outcome);
}

static int judge(struct coffer_session *session, const struct trial_wanted *wanted, struct part *part, struct trial_report *report)
{
	const char *const argv[] = { "sh", "-c", wanted->judge, NULL };
	struct coffer_outcome *outcome = NULL;
	part->argv = argv;
	part->hearing.all = &report->judgement;
	part->hearing.output.n = 0;
	(void)snprintf(part->status, sizeof(part->status), "COFFER_STATUS=%d", report->exit_code);
	int r = execute(session, part, &outcome, &report->error);
	if (r < 0)
		return r;
	report->judge_code = coffer_outcome_exit_code(outcome);
	report->has_score = read_score(&part->hearing.output, &report->score);
	report->judged = true;
	return 0;
}

static void carry_out(struct coffer_session *session, const struct trial_wanted *wanted, struct trial_report *report)
{
	static struct part part;
	struct coffer_outcome *outcome = NULL;
	part.argv = wanted->argv;
	part.hearing.all = &report->output;
	if (wanted->number)
		(void)snprintf(part.candidate, sizeof(part.candidate), "COFFER_CANDIDATE=%u", wanted->number);
	if (execute(session, &part, &outcome, &report->error) < 0)
		return;
	report->exit_code = coffer_outcome_exit_code(outcome);
	report->cause = coffer_outcome_cause(outcome);
	report->duration_us = coffer_outcome_measure(outcome, COFFER_DURATION_US);
	if (!was_executed(outcome)) {
		keep_end(&report->output, coffer_outcome_message(outcome), strlen(coffer_outcome_message(outcome)));
		keep_end(&report->output, "\n", 1);
	}
	if (was_executed(outcome) && wanted->judge && judge(session, wanted, &part, report) < 0)
		return;
	report->ran = true;
}

/* ---- outside ---- */

static int fail(struct coffer_error *error, const char *what)
{
	int number = errno;
	*error = (struct coffer_error){ .code = COFFER_ERROR_SETUP, .errnum = number };
	(void)snprintf(error->text, sizeof(error->text), "%s: %s", what, strerror(number));
	return -number;
}

static int share_report(struct trial *trial, int *ret_fd)
{
	autofd int fd = memfd_create("coffer-trial", MFD_CLOEXEC);
	void *shared;
	if (fd < 0 || ftruncate(fd, sizeof(*trial->report)) < 0 || fd_raise(&fd) < 0)
		return -1;
	shared = mmap(NULL, sizeof(*trial->report), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		return -1;
	trial->report = shared;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The words of trial_called. */
static char **make_argv(const struct trial *trial, const struct trial_wanted *wanted, char numbers[2][VARIABLE_MAX])
{
	size_t n = 0;
	while (wanted->argv[n])
		n++;
	char **argv = calloc(n + TRIAL_WORDS + 2, sizeof(*argv));
	if (!argv)
		return NULL;
	(void)snprintf(numbers[0], VARIABLE_MAX, "%u", wanted->number);
	(void)snprintf(numbers[1], VARIABLE_MAX, "%d", (int)getpid());
	const char *const words[TRIAL_WORDS + 1] = { TRIAL_NAME, coffer_session_name(trial->session), numbers[0], numbers[1],
		                                     wanted->judge ? wanted->judge : "" };
	memcpy(argv, words, sizeof(words));
	memcpy(argv + TRIAL_WORDS + 1, wanted->argv, n * sizeof(*argv));
	return argv;
}

/* In a group of its own: the terminal's Ctrl-C is for the one that clears up. */
static int spawn(pid_t *ret_pid, char *const *argv, int report)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return r;
	r = posix_spawnattr_init(&attributes);
	if (r == 0) {
		r = posix_spawn_file_actions_adddup2(&actions, report, REPORT_FD);
		if (r == 0)
			r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
		if (r == 0)
			r = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, argv, environ);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

int trial_start(struct trial *trial, const struct trial_wanted *wanted, struct coffer_error *error)
{
	char numbers[2][VARIABLE_MAX];
	autofd int report = -1;
	pid_t pid = 0;
	if (share_report(trial, &report) < 0)
		return fail(error, "no memory for a candidate's report");
	autofree char **argv = make_argv(trial, wanted, numbers);
	errno = argv ? spawn(&pid, argv, report) : ENOMEM;
	if (errno)
		return fail(error, "no process for a candidate");
	trial->pid = pid;
	return 0;
}

/* ---- the process ---- */

int trial_called(const char *const *argv)
{
	struct trial_wanted wanted = { .judge = NULL };
	struct coffer *coffer = NULL;
	struct coffer_session *session = NULL;
	uint64_t number, parent;
	struct stat st;
	size_t n = 0;
	while (argv[n])
		n++;
	if (n <= TRIAL_WORDS || num_count(argv[1], &number) < 0 || num_count(argv[2], &parent) < 0)
		return EXIT_FAILED;
	if (fstat(REPORT_FD, &st) < 0 || st.st_size != (off_t)sizeof(struct trial_report) || fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) < 0)
		return EXIT_FAILED;
	struct trial_report *report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED, REPORT_FD, 0);
	if (report == MAP_FAILED || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || (uint64_t)getppid() != parent)
		return EXIT_FAILED;
	wanted = (struct trial_wanted){ .argv = argv + TRIAL_WORDS, .judge = *argv[3] ? argv[3] : NULL, .number = (unsigned)number };
	if (coffer_new(&coffer, &report->error) == 0 && coffer_session_open(coffer, argv[0], &session, &report->error) == 0)
		carry_out(session, &wanted, report);
	coffer_session_free(session);
	coffer_free(coffer);
	return EXIT_FINE;
}

/* ---- its end ---- */

bool trial_has_ended(struct trial *trial)
{
	if (trial->pid && waitpid(trial->pid, NULL, WNOHANG) == 0)
		return false;
	trial->pid = 0;
	return true;
}

void trial_kill(struct trial *trial)
{
	if (!trial->pid)
		return;
	(void)kill(trial->pid, SIGKILL);
	while (waitpid(trial->pid, NULL, 0) < 0 && errno == EINTR)
		;
	trial->pid = 0;
}

void trial_done(struct trial *trial)
{
	trial_kill(trial);
	if (trial->report)
		(void)munmap(trial->report, sizeof(*trial->report));
	coffer_session_free(trial->session);
	*trial = (struct trial){ .session = NULL };
}

bool trial_qualifies(const struct trial_report *report)
{
	return report->ran && (report->judged ? report->judge_code : report->exit_code) == 0;
}

/* ---- signals ---- */

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void signals_of(sigset_t *set, bool children)
{
	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_LEN(ending); i++)
		sigaddset(set, ending[i]);
	if (children)
		sigaddset(set, SIGCHLD);
}

void trial_hold_signals(void)
{
	sigset_t set;
	signals_of(&set, true);
	(void)signal(SIGCHLD, SIG_DFL); /* whoever ignores it cannot wait for its children */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

int trial_wait(void)
{
	sigset_t set;
	int number;
	signals_of(&set, true);
	while ((number = sigwaitinfo(&set, NULL)) < 0 && errno == EINTR)
		;
	return number;
}

int trial_interrupted(void)
{
	static const struct timespec now = { 0 };
	sigset_t set;
	signals_of(&set, false);
	int number = sigtimedwait(&set, NULL, &now);
	return number > 0 ? number : 0;
}
