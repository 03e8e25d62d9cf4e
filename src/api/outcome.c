#include "api/api.h"

#include "session/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void coffer_outcome_free(struct coffer_outcome *outcome)
{
	if (outcome)
		arena_done(&outcome->arena);
	free(outcome);
}

void api_denial(const struct denial *denial, struct coffer_denial *ret_denial)
{
	*ret_denial = (struct coffer_denial){
		.pid = denial->pid,
		.process = denial->process ? denial->process : "",
		.operation = denial->operation ? denial->operation : "",
		.target = denial->target ? denial->target : "",
		.errnum = denial->errnum,
		.rule = denial->rule ? denial->rule : "default",
		.remedy = denial->remedy,
		.remedy_settings = denial->settings,
		.count = denial->count,
	};
}

int api_outcome_finish(struct coffer_outcome *outcome)
{
	const struct denial_vec *denials = &outcome->summary.outcome.denials;
	for (int i = 0; i < 2; i++) {
		const struct outcome_spill *spill = &outcome->summary.outcome.spill[i];
		outcome->spill[i] = (struct coffer_spill){ .path = spill->path,
			                                   .file_bytes = spill->in_file,
			                                   .written_bytes = spill->written,
			                                   .head_bytes = spill->head,
			                                   .errnum = spill->errnum };
	}
	if (denials->n == 0)
		return 0;
	outcome->denials = arena_array(&outcome->arena, denials->n, sizeof(*outcome->denials));
	if (!outcome->denials)
		return -ENOMEM;
	for (size_t i = 0; i < denials->n; i++)
		api_denial(&denials->at[i], &outcome->denials[i]);
	return 0;
}

const char *coffer_outcome_run(const struct coffer_outcome *outcome)
{
	return outcome->summary.run_id;
}

int coffer_outcome_exit_code(const struct coffer_outcome *outcome)
{
	return outcome->summary.outcome.exit_code;
}

const char *coffer_outcome_message(const struct coffer_outcome *outcome)
{
	return outcome->summary.message;
}

int coffer_outcome_signal(const struct coffer_outcome *outcome)
{
	return outcome->summary.outcome.signal;
}

enum coffer_cause coffer_outcome_cause(const struct coffer_outcome *outcome)
{
	return (enum coffer_cause)outcome->summary.outcome.cause;
}

const char *coffer_cause_name(enum coffer_cause cause)
{
	return outcome_cause_name((enum outcome_cause)cause);
}

uint64_t coffer_outcome_measure(const struct coffer_outcome *outcome, enum coffer_measure measure)
{
	const struct outcome *o = &outcome->summary.outcome;
	switch (measure) {
	case COFFER_DURATION_US:
		return o->duration_us;
	case COFFER_CPU_USER_US:
		return o->cpu_user_us;
	case COFFER_CPU_SYSTEM_US:
		return o->cpu_system_us;
	case COFFER_MEMORY_PEAK_BYTES:
		return o->max_memory_bytes;
	case COFFER_PROCESSES_PEAK:
		return o->processes_peak;
	case COFFER_OUTPUT_BYTES:
		return o->stdout_bytes;
	case COFFER_ERRORS_BYTES:
		return o->stderr_bytes;
	case COFFER_OUTPUT_TRUNCATED:
		return o->stdout_truncated;
	case COFFER_ERRORS_TRUNCATED:
		return o->stderr_truncated;
	case COFFER_DENIALS_DROPPED:
		return o->denials_dropped;
	case COFFER_DENIALS_IGNORED:
		return o->denials_ignored;
	}
	return 0;
}

const struct coffer_spill *coffer_outcome_spill(const struct coffer_outcome *outcome, int stream)
{
	int i = stream == 2;
	return outcome->summary.outcome.spill[i].is_spilled ? &outcome->spill[i] : NULL;
}

const struct coffer_denial *coffer_outcome_denial(const struct coffer_outcome *outcome, size_t index)
{
	return index < outcome->summary.outcome.denials.n ? &outcome->denials[index] : NULL;
}

/* The receipt hashes the plan, so it is made when somebody reads it. It lives as long as the printing. */
static int print_json(const struct coffer_outcome *outcome, struct str *out)
{
	struct summary summary = outcome->summary;
	struct receipt receipt;
	struct arena arena;
	if (outcome->recorded) {
		str_add_n(out, outcome->recorded, outcome->recorded_bytes);
		return 0;
	}
	arena_init(&arena, API_ARENA_MAX);
	int r = receipt_make(&outcome->result.plan, &outcome->result.policy, &outcome->result.facts, &arena, &receipt);
	if (r == 0) {
		summary.receipt = &receipt;
		summary_print_json(&summary, out);
	}
	arena_done(&arena);
	return r;
}

int coffer_outcome_text(const struct coffer_outcome *outcome, enum coffer_format format, char **ret_text, struct coffer_error *error)
{
	autostr struct str text = { 0 };
	str_init(&text, SUMMARY_BYTES_MAX);
	if (format == COFFER_TEXT)
		summary_print(&outcome->summary, &text);
	else if (print_json(outcome, &text) < 0)
		return api_no_memory(error);
	return api_give_text(&text, ret_text, error);
}

int coffer_record_write(struct coffer *coffer, const struct coffer_outcome *outcome, struct coffer_error *error)
{
	struct err err = { 0 };
	autostr struct str text = { 0 };
	if (!summary_is_remarkable(&outcome->summary) || outcome->recorded)
		return 0;
	str_init(&text, SUMMARY_BYTES_MAX);
	if (print_json(outcome, &text) < 0 || text.failed)
		return api_no_memory(error);
	return api_fail(record_write(coffer->session.state_dir, outcome->summary.run_id, text.text, text.len, &err), &err, error);
}

static int read_record(struct coffer *coffer, const char *run, struct coffer_outcome *outcome, struct err *err)
{
	int r = record_read(coffer->session.state_dir, run, &outcome->arena, &outcome->recorded, &outcome->recorded_bytes, err);
	if (r == 0)
		r = summary_read(&outcome->arena, outcome->recorded, outcome->recorded_bytes, "record", &outcome->summary, err);
	if (r == 0 && api_outcome_finish(outcome) < 0)
		r = err_set(err, ERR_LIMIT, ENOMEM, "out of memory");
	return r;
}

int coffer_record_read(struct coffer *coffer, const char *run, struct coffer_outcome **ret_outcome, struct coffer_error *error)
{
	struct err err = { 0 };
	struct coffer_outcome *outcome = calloc(1, sizeof(*outcome));
	if (!outcome)
		return api_no_memory(error);
	arena_init(&outcome->arena, API_ARENA_MAX);
	int r = read_record(coffer, run, outcome, &err);
	if (r < 0)
		coffer_outcome_free(outcome);
	else
		*ret_outcome = outcome;
	return api_fail(r, &err, error);
}
