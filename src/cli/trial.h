/*
 * trial.h: a command in a session of its own, and then a judge's, carried out by a process of its own: so many go on at once, and any of them can be ended from
 * outside. The session, and what becomes of it, is the caller's.
 */
#ifndef COFFER_CLI_TRIAL_H
#define COFFER_CLI_TRIAL_H

#include <coffer.h>
#include <stdbool.h>
#include <sys/types.h>

enum { TRIAL_TEXT_MAX = 64 << 10 };

/* The end of what was written, as it came: data from a stranger. */
struct trial_text {
	size_t n, dropped;
	char at[TRIAL_TEXT_MAX];
};

struct trial_report {
	bool ran;                  /* the command ended, however; false and no error: it was killed from outside */
	bool judged;               /* there was a judge, and it ended */
	struct coffer_error error; /* code NONE unless coffer failed */
	int exit_code, judge_code;
	enum coffer_cause cause;
	uint64_t duration_us; /* of the command */
	bool has_score;
	double score;
	struct trial_text output, judgement; /* standard output and standard error */
};

struct trial_wanted {
	const char *const *argv;
	const char *judge; /* a line for sh, not empty, or NULL */
	unsigned number;   /* COFFER_CANDIDATE; 0: none */
};

struct trial {
	struct coffer_session *session;
	pid_t pid;                   /* 0: no process */
	struct trial_report *report; /* NULL: none; complete once there is no process */
};

/* Starts it: this program again. Signals that the caller has blocked stay so in the process; it dies with the caller. */
int trial_start(struct trial *trial, const struct trial_wanted *wanted, struct coffer_error *error);
/* What this program does under the name TRIAL_NAME: the process. Its exit status. */
#define TRIAL_NAME "coffer-trial"
int trial_called(const char *const *argv);
/* Has the process ended? Then it is gone. */
bool trial_has_ended(struct trial *trial);
void trial_kill(struct trial *trial);
/* Kills it and frees the report and the handle; the session is as it was. */
void trial_done(struct trial *trial);

/* Did the command, or its judge where there was one, end with 0? */
bool trial_qualifies(const struct trial_report *report);

/* Blocks the signals that end this process, and that of ended children, for trial_wait. */
void trial_hold_signals(void);
/* The number of the signal that came; SIGCHLD: a child may have ended. */
int trial_wait(void);
/* Has one come that ends this process? Its number, or 0. */
int trial_interrupted(void);

#endif
