#include "base/own.h"
#include "engine/engine.h"
#include "engine/outcome.h"
#include "engine/prepare.h"
#include "engine/report.h"
#include "engine/spawn.h"
#include "engine/streams.h"
#include "engine/terminal.h"
#include "engine/watch.h"
#include "plan/wire.h"
#include "sys/signal.h"
#include "sys/sock.h"

#include <string.h>

void engine_run_options_init(struct engine_run_options *options)
{
	*options = (struct engine_run_options){ .stdin_fd = -1,
		                                .stdout_fd = -1,
		                                .stderr_fd = -1,
		                                .cancel_fd = -1,
		                                .control_fd = -1,
		                                .turn_fd = -1,
		                                .rules_fd = -1,
		                                .session = -1,
		                                .torture_op = -1 };
}

/* All that a run holds. Every part can be given up in any state. */
struct run {
	const struct plan *plan;
	const struct engine_run_options *options;
	struct arena *arena;
	struct prepared prepared;
	struct terminal terminal;
	struct streams streams;
	struct launcher launcher;
	struct report report;
	struct watch watch;
};

static void run_init(struct run *run)
{
	const struct engine_run_options *options = run->options;
	const int stdio[3] = { options->stdin_fd, options->stdout_fd, options->stderr_fd };

	prepared_init(&run->prepared);
	terminal_init(&run->terminal, run->plan, stdio);
	run->terminal.size = options->size;
	streams_init(&run->streams);
	launcher_init(&run->launcher);
	report_init(&run->report, run->plan, options, run->arena);
	run->watch = (struct watch){ .options = options,
		                     .prepared = &run->prepared,
		                     .launcher = &run->launcher,
		                     .streams = &run->streams,
		                     .terminal = &run->terminal,
		                     .report = &run->report,
		                     .signals = -1 };
}

static void tell(const struct engine_run_options *options, enum engine_event_type type)
{
	if (options->on_event)
		options->on_event(options->context, &(struct engine_event){ .type = type });
}

/* The filter starts while the launcher builds; the command does not before the filter is ready. */
static int release(const struct run *run, struct err *err)
{
	const struct wire ready = { .type = WIRE_READY };
	bool ours = run->prepared.egress.process.pid > 0;
	int r = ours ? egress_wait(run->report.egress, err) : 0;

	if (r == 0 && ours)
		(void)sock_send(run->launcher.socket, &ready, sizeof(ready)); /* if it is gone, watch will see */
	return r;
}

static int start(struct run *run, struct err *err)
{
	int r = prepare(run->plan, run->options, run->arena, &run->prepared, err);

	run->streams.count_all = run->prepared.count_all || run->options->spill; /* a file may be all that is wanted */
	if (r == 0 && run->options->session >= 0)
		r = egress_listen(&run->prepared.egress, run->options->session);
	run->report.egress = run->prepared.egress.socket >= 0 ? &run->prepared.egress : NULL;
	if (r == 0)
		r = streams_open(&run->streams, run->options, &run->terminal, err);
	if (r == 0)
		r = watch_begin(&run->watch, err);
	if (r < 0)
		return r;
	streams_set_ceiling(&run->streams, run->prepared.output_bytes);

	int stdio[3];

	for (int i = 0; i < 3; i++)
		stdio[i] = run->streams.child[i] >= 0 ? run->streams.child[i] : run->streams.null;
	if (run->options->session >= 0)
		r = launcher_enter(&run->launcher, run->plan, run->options, stdio, err);
	else
		r = launcher_start(&run->launcher, run->plan, run->options, stdio, err);
	streams_close_child(&run->streams);
	if (r == 0)
		r = release(run, err);
	if (r == 0)
		tell(run->options, ENGINE_STARTED);
	return r;
}

/* What was hit is asked only after a run that did not succeed: nothing else is the cause of success. */
static void account(const struct run *run, struct cgroup_usage *usage)
{
	bool succeeded = run->report.exited && run->report.status == 0;

	for (size_t i = 0; i < run->prepared.cgroups.n; i++) {
		const struct prepared_cgroup *cgroup = &run->prepared.cgroups.at[i];

		cgroup_read(cgroup->dir, cgroup->account, usage);
		if (!succeeded)
			cgroup_read_hits(cgroup->dir, cgroup->account, usage);
	}
}

static void give_up(struct run *run)
{
	terminal_done(&run->terminal);
	streams_done(&run->streams);
	report_done(&run->report);
	own_close(&run->watch.signals);
	prepared_undo(&run->prepared);
}

static int carry_out(struct run *run, struct outcome *ret_outcome, struct err *err)
{
	struct evidence evidence = { .watch = &run->watch,
		                     .report = &run->report,
		                     .prepared = &run->prepared,
		                     .streams = &run->streams,
		                     .started_us = watch_clock_us() };

	run_init(run);

	int r = start(run, err);

	if (r == 0)
		watch(&run->watch);
	evidence.launcher = launcher_done(&run->launcher);
	account(run, &evidence.usage);
	if (r == 0)
		r = outcome_make(&evidence, ret_outcome, err);
	give_up(run);
	if (r == 0)
		tell(run->options, ENGINE_EXITED);
	return r;
}

int engine_run(const struct plan *plan, const struct engine_run_options *options, struct arena *arena, struct outcome *ret_outcome,
               struct err *err)
{
	struct run run = { .plan = plan, .options = options, .arena = arena };
	struct signal_guard guard;
	int r = signal_guard_init(&guard);

	if (r < 0)
		return err_set(err, ERR_INTERNAL, -r, "this thread's signal mask cannot be changed: %s", strerror(-r));
	r = carry_out(&run, ret_outcome, err);
	signal_guard_done(&guard);
	return r;
}
