#include "engine/outcome.h"

#include "engine/failure.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* As shells and timeout(1) have them; 125 is coffer's own. */
enum { EXIT_TIMEOUT = 124, EXIT_OWN = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNAL = 128 };

/* ---- usage ---- */

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * Who reaped it knows best. Of a run that was stopped nobody reaped the processes: there is what procfs showed, and the launcher's
 * account, which has the launcher's own part in it.
 */
static void fill_processor_time(const struct evidence *e, struct outcome *o)
{
	const struct proc_usage *used = &e->watch->used;
	uint64_t sum;

	o->cpu_user_us = e->report->exited ? e->report->user_us : larger(e->launcher.user_us, used->user_us);
	o->cpu_system_us = e->report->exited ? e->report->system_us : larger(e->launcher.system_us, used->system_us);
	sum = o->cpu_user_us + o->cpu_system_us;
	if (e->usage.cpu_us <= sum)
		return;
	/* A cgroup has missed nobody. Where it keeps the sum alone, the rest goes where most of it went. */
	if (e->usage.cpu_user_us + e->usage.cpu_system_us > 0) {
		o->cpu_user_us = e->usage.cpu_user_us;
		o->cpu_system_us = e->usage.cpu_system_us;
	} else if (o->cpu_user_us >= o->cpu_system_us) {
		o->cpu_user_us += e->usage.cpu_us - sum;
	} else {
		o->cpu_system_us += e->usage.cpu_us - sum;
	}
}

static void fill_usage(const struct evidence *e, struct outcome *o)
{
	uint64_t maxrss_kib = e->report->exited ? e->report->maxrss_kib : larger(e->launcher.maxrss_kib, e->watch->used.memory_kib);

	o->duration_us = e->watch->finished_us - e->started_us;
	o->duration_ms = o->duration_us / 1000;
	fill_processor_time(e, o);
	o->max_memory_bytes = e->usage.memory_peak_bytes ? e->usage.memory_peak_bytes : maxrss_kib * 1024;
	o->processes_peak = larger(e->usage.processes_peak, e->report->processes_peak);
	o->stdout_bytes = e->streams->relay[1].passed;
	o->stderr_bytes = e->streams->relay[2].passed;
	o->stdout_truncated = e->streams->relay[1].truncated;
	o->stderr_truncated = e->streams->relay[2].truncated;
	for (int i = 0; i < 2; i++)
		o->spill[i] = spill_outcome(&e->streams->spill[i]);
	o->stdout_truncated = o->stdout_truncated || o->spill[0].is_spilled;
	o->stderr_truncated = o->stderr_truncated || o->spill[1].is_spilled;
	o->denials = e->report->denials.denials;
	o->denials_dropped = e->report->denials.dropped;
	o->denials_ignored = e->report->denials.ignored;
}

/* ---- the end ---- */

static void fill_stopped(const struct evidence *e, struct outcome *o)
{
	o->cause = e->watch->cause;
	o->signal = SIGKILL;
	o->exit_code = o->cause == CAUSE_TIMEOUT ? EXIT_TIMEOUT : o->cause == CAUSE_SETUP ? EXIT_OWN : EXIT_SIGNAL + SIGKILL;
}

static bool has_used_up_processor(const struct evidence *e, const struct outcome *o)
{
	return e->prepared->cpu_ms != UINT64_MAX && (o->cpu_user_us + o->cpu_system_us) / 1000 >= e->prepared->cpu_ms;
}

static bool limits_file_size(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++)
		if (plan->op[i].code == OP_RLIMIT && plan_number(&plan->op[i], 0) == RLIMIT_FSIZE)
			return true;
	return false;
}

/* Two signals are the kernel's own word that a limit was passed, where there is one: otherwise somebody only sent them. */
static enum outcome_cause cause_of_signal(const struct evidence *e, const struct outcome *o, int signal, enum outcome_cause otherwise)
{
	switch (signal) {
	case SIGXCPU:
		return e->prepared->cpu_ms != UINT64_MAX ? CAUSE_CPU : otherwise;
	case SIGXFSZ:
		return limits_file_size(e->report->plan) ? CAUSE_FILE_SIZE : otherwise;
	case SIGKILL:
		if (has_used_up_processor(e, o))
			return CAUSE_CPU;
		return quota_is_passed(&e->watch->quota) ? CAUSE_WORKSPACE : otherwise;
	default:
		return otherwise;
	}
}

/*
 * A limit is the cause when it was hit and the command did not succeed in spite of it. For a shell's sake that includes
 * a command that reports its child's death as its own exit status.
 */
static void fill_ended(const struct evidence *e, int status, struct outcome *o)
{
	if (WIFSIGNALED(status)) {
		o->signal = WTERMSIG(status);
		o->exit_code = EXIT_SIGNAL + o->signal;
		o->cause = cause_of_signal(e, o, o->signal, CAUSE_SIGNAL);
	} else {
		o->exit_code = WEXITSTATUS(status);
		o->cause = cause_of_signal(e, o, o->exit_code - EXIT_SIGNAL, CAUSE_EXIT);
	}
	if (o->exit_code == 0)
		return;
	if (e->usage.oom_kills > 0)
		o->cause = CAUSE_MEMORY;
	else if (e->usage.forks_refused > 0 && o->cause == CAUSE_EXIT)
		o->cause = CAUSE_PROCESSES;
}

static const char *command_name(const struct plan *plan, const struct plan_op *exec)
{
	const char *name = plan_list_next(plan, exec, 1, NULL);

	return name ? name : "";
}

/* The command itself: what a shell would say, and how. */
static void fill_not_executed(const struct report *report, struct outcome *o, struct err *err)
{
	const struct plan_op *exec = &report->plan->op[report->failed_op];
	bool absent = report->failed_errno == ENOENT || report->failed_errno == ENOTDIR;
	const char *name = command_name(report->plan, exec);

	o->cause = CAUSE_EXIT;
	o->exit_code = absent ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	if (report->failed_errno == ENOENT && !strchr(name, '/'))
		(void)err_set(err, ERR_NOTFOUND, ENOENT, "%s: not found", name);
	else
		(void)err_set(err, absent ? ERR_NOTFOUND : ERR_DENIED, report->failed_errno, "%s: %s", name,
		              strerror(report->failed_errno));
	err_at(err, plan_why(report->plan, exec));
}

static bool failed_at_exec(const struct report *report)
{
	return report->failed && report->failed_op < report->plan->head->op_count && report->plan->op[report->failed_op].code == OP_EXEC;
}

/* Nobody said how it ended: init, or the launcher, was killed. By the memory limit, which they share, or by somebody outside. */
static int fill_silent(const struct evidence *e, struct outcome *o, struct err *err)
{
	o->signal = SIGKILL;
	o->exit_code = EXIT_SIGNAL + SIGKILL;
	if (e->usage.oom_kills > 0) {
		o->cause = CAUSE_MEMORY;
		return 0;
	}
	if (e->watch->options->session >= 0)
		return err_set(err, ERR_NOTFOUND, ENOTCONN, "the session ended, and the command with it");
	if (e->launcher.known && WIFSIGNALED(e->launcher.status))
		return err_set(err, ERR_INTERNAL, EPIPE, "the launcher was killed by signal %d", WTERMSIG(e->launcher.status));
	return err_set(err, ERR_INTERNAL, EPIPE, "the launcher ended without a word");
}

int outcome_make(const struct evidence *e, struct outcome *ret_outcome, struct err *err)
{
	struct outcome o = { 0 };
	int r = 0;

	if (e->report->failed && e->watch->options->refused_op)
		*e->watch->options->refused_op = e->report->failed_op;
	if (e->report->failed && !failed_at_exec(e->report))
		return failure_set(err, e->report->plan, e->report->failed_op, e->report->failed_errno);
	fill_usage(e, &o);
	if (e->watch->stopped)
		fill_stopped(e, &o);
	else if (e->report->exited)
		fill_ended(e, e->report->status, &o);
	else if (failed_at_exec(e->report))
		fill_not_executed(e->report, &o, err);
	else
		r = fill_silent(e, &o, err);
	if (r == 0)
		*ret_outcome = o;
	return r;
}
