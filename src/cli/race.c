/*
 * `coffer race`: the same command many times over, each time on a copy-on-write view of the working directory of its own, and the best of them stays.
 *
 * Theory of operation. Each candidate is a session, made right before its command, and a process that executes the command and the judge's there (trial.c). Of a
 * candidate that ended only the workspace stays, and only while none is better; so there is never more than what runs, and one. Signals that would end this
 * process are blocked, and looked at between two steps: whatever is made is known to `clear`.
 */
#include "cli/race.h"

#include "base/num.h"
#include "cli/command.h"
#include "cli/request.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CANDIDATES_MAX = 1000,
	CANDIDATES_DEFAULT = 4,
	LABELS_MAX = 96,
	REPORT_MAX = 512 << 20,
	/* A session that nothing is executed in: its maker has been killed. */
	ORPHAN_MS = 10 * 60 * 1000
};

struct race {
	const struct options *options;
	struct cli_request made;
	struct candidate *candidates;
	struct candidate *best; /* NULL: none qualifies so far */
	size_t n, jobs, started, running;
	bool decided;
	int signal; /* that came, or 0 */
};

/* ---- what becomes of a candidate ---- */

static void drop(struct race *race, struct candidate *candidate)
{
	struct coffer_error error;
	int r = 0;
	if (!*candidate->name)
		return;
	trial_kill(&candidate->trial);
	if (candidate->has_left)
		r = coffer_workspace_remove(race->made.coffer, candidate->name, &error);
	else
		r = coffer_session_remove(candidate->trial.session, &error);
	if (r < 0)
		say_error(&error);
	candidate->name[0] = '\0';
}

static void break_it(struct candidate *candidate, const struct coffer_error *error)
{
	candidate->state = CANDIDATE_BROKEN;
	candidate->error = *error;
}

/* It is better than all before it: its processes end, its files stay. */
static void crown(struct race *race, struct candidate *candidate)
{
	struct coffer_error error;
	if (coffer_session_leave(candidate->trial.session, &error) < 0) {
		break_it(candidate, &error);
		drop(race, candidate);
		return;
	}
	candidate->has_left = true;
	if (race->best)
		drop(race, race->best);
	race->best = candidate;
	race->decided = race->options->given[OPTION_FIRST];
}

static void judge(struct race *race, struct candidate *candidate)
{
	static const struct coffer_error died = { .code = COFFER_ERROR_SETUP, .text = "the process that executed it was killed" };
	const struct trial_report *report = candidate->trial.report;
	race->running--;
	candidate->state = trial_qualifies(report) ? CANDIDATE_QUALIFIED : CANDIDATE_FAILED;
	if (!report->ran)
		break_it(candidate, report->error.code ? &report->error : &died);
	if (race->options->given[OPTION_TELL])
		race_say_output(candidate);
	if (candidate->state == CANDIDATE_QUALIFIED && (!race->best || candidate_compare(candidate, race->best) < 0))
		crown(race, candidate);
	else
		drop(race, candidate);
}

/* ---- the race ---- */

static int begin(struct race *race, struct candidate *candidate, struct coffer_error *error)
{
	char labels[LABELS_MAX];
	const struct coffer_session_options wanted = {
		.size = sizeof(wanted), .labels = labels, .tree = COFFER_SESSION_COPY, .idle_ms = ORPHAN_MS
	};
	const struct trial_wanted trial = { .argv = race->options->argv,
		                            .judge = race->options->value[OPTION_JUDGE],
		                            .number = candidate->number };
	(void)snprintf(labels, sizeof(labels), "{\"race\":\"%d\",\"candidate\":\"%u\"}", (int)getpid(), candidate->number);
	int r = coffer_session_create(race->made.coffer, race->made.policy, &wanted, &candidate->trial.session, error);
	if (r < 0)
		return r;
	(void)snprintf(candidate->name, sizeof(candidate->name), "%s", coffer_session_name(candidate->trial.session));
	return trial_start(&candidate->trial, &trial, error);
}

/* What is wrong with the first one is wrong with all of them. */
static int start_next(struct race *race)
{
	struct candidate *candidate = &race->candidates[race->started++];
	struct coffer_error error;
	int r = begin(race, candidate, &error);
	if (r == 0) {
		candidate->state = CANDIDATE_RUNNING;
		race->running++;
		return 0;
	}
	break_it(candidate, &error);
	drop(race, candidate);
	if (race->started > 1)
		return 0;
	say_error(&error);
	return r;
}

static void collect(struct race *race)
{
	for (size_t i = 0; i < race->started && !race->decided; i++)
		if (race->candidates[i].state == CANDIDATE_RUNNING && trial_has_ended(&race->candidates[i].trial))
			judge(race, &race->candidates[i]);
}

static void stop_losers(struct race *race)
{
	for (size_t i = 0; i < race->n; i++) {
		struct candidate *candidate = &race->candidates[i];
		if (candidate->state > CANDIDATE_RUNNING)
			continue;
		drop(race, candidate);
		candidate->state = CANDIDATE_STOPPED;
	}
}

static int run(struct race *race)
{
	while (!race->decided && !race->signal && (race->running || race->started < race->n)) {
		int r = 0;
		if (race->started < race->n && race->running < race->jobs) {
			r = start_next(race);
			race->signal = trial_interrupted();
		} else {
			int number = trial_wait();
			race->signal = number == SIGCHLD ? 0 : number;
		}
		if (r < 0)
			return r;
		collect(race);
	}
	stop_losers(race);
	if (race->signal && race->best)
		drop(race, race->best);
	return 0;
}

/* ---- what came of it ---- */

static int note_some(void *context, const char *bytes, size_t n)
{
	(void)bytes;
	*(size_t *)context += n;
	return 0;
}

/* A winner that left everything as it was has nothing to keep. */
static bool has_changes(struct race *race, struct candidate *winner)
{
	struct coffer_workspace *workspace = NULL;
	size_t n = 1;
	if (coffer_workspace_open(race->made.coffer, winner->name, &workspace, NULL) == 0) {
		n = 0;
		if (coffer_workspace_diff(workspace, COFFER_DIFF_NAMES, NULL, note_some, &n, NULL) < 0)
			n = 1; /* it is for its owner to see why */
	}
	coffer_workspace_free(workspace);
	return n > 0;
}

static void say_winner(const struct race *race, const struct candidate *winner, bool changed)
{
	const char *name = winner->name;
	if (race->options->given[OPTION_SILENT])
		return;
	if (!changed)
		say("candidate %u wins, and has changed nothing", winner->number);
	else
		say("candidate %u wins: `coffer diff --in %s` shows what it has changed, `coffer apply --in %s` does it, `coffer discard %s` forgets it",
		    winner->number, name, name, name);
}

static int print(struct race *race, bool changed)
{
	autostr struct str out = { 0 };
	str_init(&out, REPORT_MAX);
	if (race->options->given[OPTION_JSON])
		race_print_json(race->candidates, race->n, changed, &out);
	else
		race_print(race->candidates, race->n, &out);
	if (!out.failed && fd_write_all(STDOUT_FILENO, out.text, out.len) == 0)
		return 0;
	say("race: the ranking cannot be written");
	return -EIO;
}

static bool all_broken(const struct race *race)
{
	for (size_t i = 0; i < race->n; i++)
		if (race->candidates[i].state != CANDIDATE_BROKEN)
			return false;
	return true;
}

static int finish(struct race *race)
{
	struct candidate *winner = race->candidates;
	qsort(race->candidates, race->n, sizeof(*race->candidates), candidate_compare);
	bool wins = winner->state == CANDIDATE_QUALIFIED, changed = wins && has_changes(race, winner);
	int r = print(race, changed);
	if (wins && r == 0)
		say_winner(race, winner, changed);
	if (wins && !changed)
		drop(race, winner);
	if (r < 0 || (!wins && all_broken(race)))
		return EXIT_FAILED;
	return wins ? EXIT_FINE : EXIT_UNWELL;
}

/* ---- the words ---- */

static int count_of(const struct options *options, enum option_id id, size_t otherwise, size_t *ret_n)
{
	const char *text = options->value[id];
	uint64_t n = otherwise;
	if (text && (num_count(text, &n) < 0 || n < 1 || n > CANDIDATES_MAX)) {
		say("race: --%s takes a number from 1 to %d, not \"%s\"", option_table[id].name, CANDIDATES_MAX, text);
		return -EINVAL;
	}
	*ret_n = n;
	return 0;
}

static int read_words(struct race *race)
{
	const struct options *options = race->options;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	if (options->words.n == 0) {
		say("race: no command to run; `coffer race -- CMD`, or `coffer race --help`");
		return -EINVAL;
	}
	if (options->given[OPTION_JUDGE] && !*options->value[OPTION_JUDGE]) {
		say("race: --judge takes a command for sh; without it the command's own exit status decides");
		return -EINVAL;
	}
	int r = count_of(options, OPTION_N, CANDIDATES_DEFAULT, &race->n);
	return r < 0 ? r : count_of(options, OPTION_JOBS, processors > 0 ? (size_t)processors : 1, &race->jobs);
}

static int race_them(struct race *race)
{
	int status = EXIT_FAILED;
	for (size_t i = 0; i < race->n; i++)
		race->candidates[i].number = (unsigned)i + 1;
	trial_hold_signals();
	if (run(race) == 0)
		status = race->signal ? 128 + race->signal : finish(race);
	for (size_t i = 0; i < race->n; i++)
		trial_done(&race->candidates[i].trial);
	return status;
}

int command_race(const struct options *options)
{
	struct race race = { .options = options };
	struct coffer_error error;
	if (read_words(&race) < 0 || request_make_policy(options, &race.made, &error) < 0)
		return EXIT_FAILED;
	int status = EXIT_FAILED;
	race.candidates = calloc(race.n, sizeof(*race.candidates));
	if (race.candidates)
		status = race_them(&race);
	else
		say("race: no memory for %zu candidates", race.n);
	free(race.candidates);
	request_done(&race.made);
	return status;
}
