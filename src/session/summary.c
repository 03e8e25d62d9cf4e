#include "session/summary.h"

#include <string.h>

static void add_json_number(const char *name, uint64_t value, struct str *out)
{
	str_printf(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void add_json_bool(const char *name, bool value, struct str *out)
{
	str_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

void summary_print_spill(const struct outcome_spill *spill, struct str *out)
{
	str_add(out, "{\"path\":");
	str_add_json_text(out, spill->path);
	add_json_number("file_bytes", spill->in_file, out);
	add_json_number("written_bytes", spill->written, out);
	add_json_number("head_bytes", spill->head, out);
	add_json_bool("complete", spill->in_file == spill->written, out);
	add_json_number("errno", (uint64_t)spill->errnum, out);
	str_add(out, ",\"error\":");
	str_add_json_text(out, spill->errnum ? strerror(spill->errnum) : NULL);
	str_add_char(out, '}');
}

static void add_json_spill(const char *name, const struct outcome_spill *spill, struct str *out)
{
	str_printf(out, ",\"%s\":", name);
	if (spill->is_spilled)
		summary_print_spill(spill, out);
	else
		str_add(out, "null");
}

static void add_json_denial(const struct denial *denial, struct str *out)
{
	str_printf(out, "{\"pid\":%d,\"process\":", denial->pid);
	str_add_json_text(out, denial->process);
	str_add(out, ",\"operation\":");
	str_add_json_text(out, denial->operation);
	str_add(out, ",\"target\":");
	str_add_json_text(out, denial->target);
	str_printf(out, ",\"errno\":%d,\"error\":", denial->errnum);
	str_add_json_text(out, strerror(denial->errnum));
	str_add(out, ",\"rule\":");
	str_add_json_text(out, denial->rule);
	str_add(out, ",\"remedy\":");
	str_add_json_text(out, denial->remedy);
	/* A JSON text already; why.c makes it. */
	str_printf(out, ",\"settings\":%s,\"count\":%u}", denial->settings ? denial->settings : "null", denial->count);
}

static void add_json_outcome(const struct outcome *outcome, struct str *out)
{
	str_printf(out, ",\"exit_code\":%d,\"signal\":", outcome->exit_code);
	if (outcome->signal)
		str_printf(out, "%d", outcome->signal);
	else
		str_add(out, "null");
	str_add(out, ",\"cause\":");
	str_add_json_text(out, outcome_cause_name(outcome->cause));
	add_json_number("duration_ms", outcome->duration_ms, out);
	add_json_number("duration_us", outcome->duration_us, out);
	add_json_number("cpu_ms", (outcome->cpu_user_us + outcome->cpu_system_us) / 1000, out);
	add_json_number("cpu_user_us", outcome->cpu_user_us, out);
	add_json_number("cpu_system_us", outcome->cpu_system_us, out);
	add_json_number("max_memory_bytes", outcome->max_memory_bytes, out);
	add_json_number("processes_peak", outcome->processes_peak, out);
	add_json_number("stdout_bytes", outcome->stdout_bytes, out);
	add_json_number("stderr_bytes", outcome->stderr_bytes, out);
	add_json_bool("stdout_truncated", outcome->stdout_truncated, out);
	add_json_bool("stderr_truncated", outcome->stderr_truncated, out);
	add_json_spill("stdout_spilled", &outcome->spill[0], out);
	add_json_spill("stderr_spilled", &outcome->spill[1], out);
	add_json_number("denials_dropped", outcome->denials_dropped, out);
	add_json_number("denials_ignored", outcome->denials_ignored, out);
	str_add(out, ",\"denials\":[");
	for (size_t i = 0; i < outcome->denials.n; i++) {
		str_add(out, i ? "," : "");
		add_json_denial(&outcome->denials.at[i], out);
	}
	str_add_char(out, ']');
}

void summary_print_json(const struct summary *summary, struct str *out)
{
	str_add(out, "{\"run\":");
	str_add_json_text(out, summary->run_id);
	str_add(out, ",\"command\":[");
	for (size_t i = 0; i < summary->command.n; i++) {
		str_add(out, i ? "," : "");
		str_add_json_text(out, summary->command.at[i]);
	}
	str_add(out, "],\"cwd\":");
	str_add_json_text(out, summary->cwd);
	add_json_number("ended", summary->ended_s, out);
	str_add(out, ",\"message\":");
	str_add_json_text(out, summary->message);
	add_json_outcome(&summary->outcome, out);
	if (summary->receipt) {
		str_add(out, ",\"receipt\":");
		receipt_print_json(summary->receipt, out);
	}
	str_add(out, "}\n");
}

static void add_shown(const char *text, struct str *out)
{
	str_add_escaped(out, text, strlen(text));
}

static void print_end(const struct summary *summary, struct str *out)
{
	const struct outcome *outcome = &summary->outcome;
	str_printf(out, "run %s:", summary->run_id);
	for (size_t i = 0; i < summary->command.n; i++) {
		str_add_char(out, ' ');
		add_shown(summary->command.at[i], out);
	}
	str_add(out, "\n  in ");
	add_shown(summary->cwd, out);
	if (outcome->cause == CAUSE_EXIT)
		str_printf(out, ": exit status %d", outcome->exit_code);
	else if (outcome->cause == CAUSE_SIGNAL)
		str_printf(out, ": ended by signal %d (%s)", outcome->signal, strsignal(outcome->signal));
	else
		str_printf(out, ": ended by %s, exit status %d", outcome_cause_name(outcome->cause), outcome->exit_code);
	str_printf(out, ", after %llu ms\n", (unsigned long long)outcome->duration_ms);
}

static void print_denial(const struct denial *denial, size_t number, struct str *out)
{
	str_printf(out, "\n%zu  ", number);
	add_shown(denial->process, out);
	str_printf(out, " (process %d): ", denial->pid);
	add_shown(denial->operation, out);
	str_add_char(out, ' ');
	add_shown(denial->target, out);
	str_printf(out, ": %s", strerror(denial->errnum));
	if (denial->count > 1)
		str_printf(out, ", %u times", denial->count);
	str_add(out, "\n   rule      ");
	add_shown(denial->rule ? denial->rule : "default", out);
	str_add(out, "\n   to allow  ");
	add_shown(denial->remedy ? denial->remedy : "nothing short of changing that rule", out);
	if (denial->settings) {
		str_add(out, "\n   settings  ");
		add_shown(denial->settings, out);
	}
	str_add_char(out, '\n');
}

void summary_print(const struct summary *summary, struct str *out)
{
	const struct denial_vec *denials = &summary->outcome.denials;
	print_end(summary, out);
	if (denials->n == 0)
		str_add(out, "  nothing was denied, as far as this run could tell\n");
	else
		str_printf(out, "  %zu denial%s\n", denials->n, denials->n == 1 ? "" : "s");
	for (size_t i = 0; i < denials->n; i++)
		print_denial(&denials->at[i], i + 1, out);
	if (summary->outcome.denials_dropped)
		str_printf(out, "\nand %llu more that were not kept\n", (unsigned long long)summary->outcome.denials_dropped);
	if (summary->outcome.denials_ignored)
		str_printf(out, "\nand %llu that the settings ignore (ignoreViolations)\n",
		           (unsigned long long)summary->outcome.denials_ignored);
}

bool summary_is_remarkable(const struct summary *summary)
{
	return summary->outcome.denials.n > 0 || summary->outcome.cause != CAUSE_EXIT;
}
