#include "cli/trial.h"

#include "base/own.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { VERDICT_MAX = 256, VARIABLE_MAX = 48 };

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
	if (!was_executed(outcome))
		keep_end(&report->output, coffer_outcome_message(outcome), strlen(coffer_outcome_message(outcome)));
	else if (wanted->judge && judge(session, wanted, &part, report) < 0)
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

int trial_start(struct trial *trial, const struct trial_wanted *wanted, struct coffer_error *error)
{
	pid_t parent = getpid();
	void *shared = mmap(NULL, sizeof(*trial->report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return fail(error, "no memory for a candidate's report");
	trial->report = shared;
	trial->pid = fork();
	if (trial->pid < 0) {
		trial->pid = 0;
		return fail(error, "no process for a candidate");
	}
	if (trial->pid)
		return 0;
	/* Its own group: the terminal's Ctrl-C is for the one that clears up. */
	(void)setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
		carry_out(trial->session, wanted, trial->report);
	_exit(0);
}

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
