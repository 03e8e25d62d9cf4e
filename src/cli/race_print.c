#include "cli/race.h"
#include "cli/say.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const states[] = {
	[CANDIDATE_WAITING] = "stopped", [CANDIDATE_RUNNING] = "stopped", [CANDIDATE_STOPPED] = "stopped",
	[CANDIDATE_BROKEN] = "broken",   [CANDIDATE_FAILED] = "failed",   [CANDIDATE_QUALIFIED] = "qualified"
};

static bool has_report(const struct candidate *candidate)
{
	return candidate->trial.report && candidate->state >= CANDIDATE_FAILED;
}

/* ---- ranking ---- */

static int compare_numbers(double a, double b)
{
	return a < b ? -1 : a > b;
}

int candidate_compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int r = (y->state == CANDIDATE_QUALIFIED) - (x->state == CANDIDATE_QUALIFIED);
	if (r == 0 && x->state == CANDIDATE_QUALIFIED) {
		const struct trial_report *one = x->trial.report, *other = y->trial.report;
		r = other->has_score - one->has_score;
		if (r == 0 && one->has_score)
			r = compare_numbers(other->score, one->score);
		if (r == 0)
			r = compare_numbers((double)one->duration_us, (double)other->duration_us);
	}
	return r ? r : compare_numbers(x->number, y->number);
}

/* ---- for people ---- */

static void add_reason(const struct candidate *candidate, struct str *out)
{
	const struct trial_report *report = candidate->trial.report;
	if (candidate->state == CANDIDATE_BROKEN)
		str_add_escaped(out, candidate->error.text, strlen(candidate->error.text));
	else if (!has_report(candidate))
		str_add(out, "the race was decided before its end");
	else if (report->judged)
		str_printf(out, "exit status %d, judge %d", report->exit_code, report->judge_code);
	else if (report->cause == COFFER_CAUSE_EXIT || report->cause == COFFER_CAUSE_SIGNAL)
		str_printf(out, "exit status %d", report->exit_code);
	else
		str_printf(out, "exit status %d: %s", report->exit_code, coffer_cause_name(report->cause));
}

static void add_row(const struct candidate *candidate, size_t rank, struct str *out)
{
	const struct trial_report *report = candidate->trial.report;
	char score[32] = "-", time[32] = "-", place[24] = "-";
	if (has_report(candidate) && report->has_score)
		(void)snprintf(score, sizeof(score), "%.10g", report->score);
	if (has_report(candidate))
		(void)snprintf(time, sizeof(time), "%.2f s", (double)report->duration_us / 1e6);
	if (candidate->state == CANDIDATE_QUALIFIED)
		(void)snprintf(place, sizeof(place), "%zu", rank);
	str_printf(out, "%4s  %9u  %-9s  %12s  %10s  ", place, candidate->number, states[candidate->state], score, time);
	add_reason(candidate, out);
	str_add_char(out, '\n');
}

void race_print(const struct candidate *candidates, size_t n, struct str *out)
{
	str_printf(out, "%4s  %9s  %-9s  %12s  %10s  %s\n", "rank", "candidate", "result", "score", "time", "why");
	for (size_t i = 0; i < n; i++) {
		bool wins = i == 0 && candidates[0].state == CANDIDATE_QUALIFIED;
		str_add(out, say_tone(STDOUT_FILENO, wins ? SAY_GOOD : SAY_PLAIN));
		add_row(&candidates[i], i + 1, out);
		str_add(out, wins ? say_tone(STDOUT_FILENO, SAY_PLAIN) : "");
	}
}

static void say_text(unsigned number, const struct trial_text *text)
{
	for (size_t at = 0; at < text->n;) {
		const char *end = memchr(text->at + at, '\n', text->n - at);
		size_t n = end ? (size_t)(end - text->at) - at : text->n - at;
		say("%u | %.*s", number, (int)n, text->at + at);
		at += n + 1;
	}
}

void race_say_output(const struct candidate *candidate)
{
	const struct trial_report *report = candidate->trial.report;
	if (!has_report(candidate))
		return;
	if (report->output.dropped)
		say("%u | (%zu bytes before)", candidate->number, report->output.dropped);
	say_text(candidate->number, &report->output);
	say_text(candidate->number, &report->judgement);
}

/* ---- for programs ---- */

static void add_text(const char *key, const struct trial_text *text, struct str *out)
{
	str_printf(out, ",\"%s\":", key);
	str_add_json(out, text->at, text->n);
	str_printf(out, ",\"%s_dropped\":%zu", key, text->dropped);
}

static void add_report(const struct trial_report *report, struct str *out)
{
	str_printf(out, ",\"exit_code\":%d,\"cause\":\"%s\",\"duration_us\":%llu", report->exit_code, coffer_cause_name(report->cause),
	           (unsigned long long)report->duration_us);
	if (report->judged)
		str_printf(out, ",\"judge_exit_code\":%d", report->judge_code);
	add_text("output", &report->output, out);
	if (report->judged)
		add_text("judgement", &report->judgement, out);
}

static void add_candidate(const struct candidate *candidate, struct str *out)
{
	str_printf(out, "{\"candidate\":%u,\"result\":\"%s\",\"score\":", candidate->number, states[candidate->state]);
	if (has_report(candidate) && candidate->trial.report->has_score)
		str_printf(out, "%.17g", candidate->trial.report->score);
	else
		str_add(out, "null");
	if (candidate->state == CANDIDATE_BROKEN) {
		str_printf(out, ",\"error\":{\"code\":\"%s\",\"text\":", coffer_error_name(candidate->error.code));
		str_add_json_text(out, candidate->error.text);
		str_add_char(out, '}');
	}
	if (has_report(candidate))
		add_report(candidate->trial.report, out);
	str_add_char(out, '}');
}

void race_print_json(const struct candidate *candidates, size_t n, bool changed, struct str *out)
{
	if (n && candidates[0].state == CANDIDATE_QUALIFIED) {
		str_printf(out, "{\"winner\":%u,\"workspace\":", candidates[0].number);
		str_add_json_text(out, changed ? candidates[0].name : NULL);
	} else {
		str_add(out, "{\"winner\":null,\"workspace\":null");
	}
	str_add(out, ",\"candidates\":[");
	for (size_t i = 0; i < n; i++) {
		str_add(out, i ? "," : "");
		add_candidate(&candidates[i], out);
	}
	str_add(out, "]}\n");
}
