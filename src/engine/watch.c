/*
 * Theory of operation. A run is in one of three states:
 *
 *   running   streams are relayed, messages and signals taken, clocks looked at
 *   stopping  a ceiling was passed, or the caller cancelled: our side of the socket is shut. Init sees that and ends, and the kernel ends
 *             all others with it. What does not end within WATCH_FORCE is killed from outside: the launcher, whose death is its
 *             jail's, and all in the run's cgroups.
 *   gone      the launcher's end of the socket has closed, or the launcher itself is dead: there is no process left inside. What is in the
 *             pipes is passed on; an empty pipe is at its end now, whoever else may hold it open.
 *
 * A run that ended by itself may take its time with a slow reader, as any program that has written its output. One that
 * was stopped does not wait.
 *
 * SIGKILL at once, rather than SIGTERM and a moment's grace: a limit is no request. Who wants grace, cancels with a signal first.
 */
#include "engine/watch.h"

#include "base/own.h"
#include "plan/wire.h"
#include "sys/signal.h"
#include "sys/sock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WATCH_FORCE = 300000, WATCH_ABANDON = 10000000, WATCH_RETRY = 100000, WATCH_LAST_WORDS = 200000 }; /* µs */
enum {
	WATCH_ONE_KEY = 100000
}; /* µs: one Ctrl-C may come twice, from the terminal and from a parent that forwards it; nobody presses it so fast */
enum { WATCH_PROCESSOR_LEAST = 5000, WATCH_PROCESSOR_MOST = 1000000 }; /* µs between two looks */

enum {
	POLL_SOCKET,
	POLL_LAUNCHER,
	POLL_SIGNALS,
	POLL_CANCEL,
	POLL_EGRESS,
	POLL_CONTROL,
	POLL_TURN,
	POLL_RULES,
	POLL_RELAYS,
	POLL_ALL = POLL_RELAYS + 3 * RELAY_POLLS
};

uint64_t watch_clock_us(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- stopping ---- */

/* The first cause is the one. */
static void stop(struct watch *w, enum outcome_cause cause)
{
	if (w->stopped || w->gone)
		return;
	w->stopped = true;
	w->cause = cause;
	(void)proc_usage(w->launcher->process.pid, &w->used);
	w->force_at = watch_clock_us() + WATCH_FORCE;
	w->end_at = w->processor_at = w->quota.at_us = WATCH_NEVER;
	(void)shutdown(w->launcher->socket, SHUT_WR);
	if (cause != CAUSE_CANCELLED && w->options->on_event)
		w->options->on_event(w->options->context, &(struct engine_event){ .type = ENGINE_LIMITED, .cause = cause });
}

static void force(struct watch *w)
{
	w->force_at = WATCH_NEVER;
	w->abandon_at = watch_clock_us() + WATCH_ABANDON;
	(void)process_signal(&w->launcher->process, SIGKILL);
	prepared_kill(w->prepared);
}

/* ---- streams ---- */

static bool any_output(const struct watch *w)
{
	return relay_is_running(&w->streams->relay[1]) || relay_is_running(&w->streams->relay[2]);
}

/* Passes on what there is, as far as the reader takes it at once; the rest is lost. */
static void drain_or_drop(struct relay *relay)
{
	static const struct pollfd nothing[RELAY_POLLS] = { { .fd = -1 }, { .fd = -1 } };

	if (relay->state == RELAY_SINK) /* the reader may have made room since */
		relay->state = RELAY_SOURCE;
	while (relay->state == RELAY_SOURCE || relay->state == RELAY_LATER)
		relay_turn(relay, nothing);
	if (!relay_is_running(relay))
		return;
	relay->truncated = true;
	relay_done(relay);
}

static void drop_outputs(struct watch *w)
{
	drain_or_drop(&w->streams->relay[1]);
	drain_or_drop(&w->streams->relay[2]);
}

static void become_gone(struct watch *w)
{
	w->gone = true;
	w->force_at = w->processor_at = w->quota.at_us = WATCH_NEVER;
	w->abandon_at = WATCH_NEVER;
	if (!w->finished_us)
		w->finished_us = watch_clock_us();
	relay_done(&w->streams->relay[0]);
	w->streams->relay[1].draining = w->streams->relay[2].draining = true;
	if (w->stopped)
		drop_outputs(w);
}

static void cancel(struct watch *w)
{
	if (w->gone)
		drop_outputs(w);
	else
		stop(w, CAUSE_CANCELLED);
}

static void move_streams(struct watch *w, const struct pollfd *polls)
{
	for (int i = 0; i < 3; i++) {
		struct relay *relay = &w->streams->relay[i];

		relay_turn(relay, &polls[POLL_RELAYS + i * RELAY_POLLS]);
		if (relay->is_over)
			stop(w, CAUSE_OUTPUT);
		if (relay->state == RELAY_LATER && w->retry_at == WATCH_NEVER)
			w->retry_at = watch_clock_us() + WATCH_RETRY;
	}
}

/* A terminal that is ours to read again is raw before it is read. */
static void retry_streams(struct watch *w)
{
	bool may_read = terminal_make_raw(w->terminal);

	w->retry_at = may_read ? WATCH_NEVER : watch_clock_us() + WATCH_RETRY;
	for (int i = may_read ? 0 : 1; i < 3; i++)
		if (w->streams->relay[i].state == RELAY_LATER)
			w->streams->relay[i].state = RELAY_SOURCE;
}

static void join_terminal(struct watch *w)
{
	int r = terminal_attach(w->terminal, TAKE_FD(w->report->master));

	if (r == 0)
		r = streams_join_terminal(w->streams, w->options, w->terminal);
	if (r < 0) {
		stop(w, CAUSE_SETUP);
		return;
	}
	if (!terminal_make_raw(w->terminal) && relay_is_running(&w->streams->relay[0])) {
		w->streams->relay[0].state = RELAY_LATER;
		w->retry_at = watch_clock_us() + WATCH_RETRY;
	}
}

/* ---- messages and signals ---- */

static void hear_launcher(struct watch *w, const struct pollfd *polls)
{
	if (polls[POLL_SOCKET].revents)
		report_read(w->report, w->launcher->socket);
	if (w->report->master >= 0 && w->terminal->master < 0)
		join_terminal(w);
	if (w->report->exited && !w->finished_us)
		w->finished_us = watch_clock_us();
	/* Should a fork of the host's hold a copy of the launcher's end, that end never closes: the launcher's own death will do. */
	if (polls[POLL_LAUNCHER].revents && w->abandon_at == WATCH_NEVER)
		w->abandon_at = watch_clock_us() + WATCH_LAST_WORDS;
	if (w->report->ended && !w->gone)
		become_gone(w);
}

static void forward(const struct watch *w, int number)
{
	const struct wire message = { .type = WIRE_SIGNAL, .a = number, .b = w->options->background };

	(void)sock_send(w->launcher->socket, &message, sizeof(message));
}

/* ^Z at a job of the shell's: the terminal is left in order, and found again as the shell leaves it. */
static void suspend(struct watch *w)
{
	bool was_raw = w->terminal->is_raw;

	terminal_restore(w->terminal);
	(void)kill(getpid(), SIGSTOP);
	if (was_raw && !terminal_make_raw(w->terminal))
		w->retry_at = watch_clock_us() + WATCH_RETRY;
	terminal_resize(w->terminal);
}

/* The first SIGINT asks the command, the second does not ask. */
static bool is_second_interrupt(struct watch *w, int number)
{
	uint64_t now = watch_clock_us();

	if (number != SIGINT)
		return false;
	if (!w->interrupted_at)
		w->interrupted_at = now;
	return now - w->interrupted_at >= WATCH_ONE_KEY;
}

static bool asks_to_end(int number)
{
	return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

static void take_signal(struct watch *w, int number)
{
	if (number == SIGWINCH && w->terminal->serves) {
		terminal_resize(w->terminal);
		return;
	}
	/* Once all are dead, whoever asks for the end means us, who wait for a reader. */
	if (w->gone ? asks_to_end(number) : is_second_interrupt(w, number)) {
		cancel(w);
		return;
	}
	forward(w, number);
	if (number == SIGTSTP)
		suspend(w);
}

static void take_signals(struct watch *w)
{
	for (int number; (number = signal_next(w->signals)) > 0;)
		take_signal(w, number);
}

/* ---- what the caller says meanwhile ---- */

/* Its bytes are the caller's business; at its end, or when it is broken, there is nothing more to read. */
static void read_control(struct watch *w)
{
	char bytes[4096];
	ssize_t n = read(w->control_fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		w->control_fd = -1;
	else if (w->options->on_event)
		w->options->on_event(w->options->context,
		                     &(struct engine_event){ .type = ENGINE_CONTROL, .bytes = bytes, .len = (size_t)n });
}

static void pass_rules(struct watch *w)
{
	char byte;
	autofd int rules = -1;

	if (sock_receive(w->options->rules_fd, &byte, sizeof(byte), &rules) > 0 && rules >= 0 && w->report->egress)
		(void)egress_renew(w->report->egress, rules);
}

static void hear_caller(struct watch *w, const struct pollfd *polls)
{
	if (polls[POLL_CONTROL].revents)
		read_control(w);
	if (polls[POLL_TURN].revents && w->options->on_event)
		w->options->on_event(w->options->context, &(struct engine_event){ .type = ENGINE_TURN });
	if (polls[POLL_RULES].revents)
		pass_rules(w);
}

/* ---- clocks ---- */

/* All accounts are of the same processes: the first that there is. Without one, what procfs shows of the launcher's descendants. */
static uint64_t processor_us(const struct watch *w)
{
	struct proc_usage usage;
	uint64_t us = 0;

	for (size_t i = 0; i < w->prepared->cgroups.n; i++)
		if (cgroup_read_cpu(w->prepared->cgroups.at[i].dir, w->prepared->cgroups.at[i].account, &us) == 0)
			return us;
	return proc_usage(w->launcher->process.pid, &usage) == 0 ? usage.user_us + usage.system_us : 0;
}

/* The next look is when all processors together could have used up what is left. */
static void check_processor(struct watch *w)
{
	uint64_t ceiling = w->prepared->cpu_ms * 1000, used = processor_us(w);
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (used >= ceiling) {
		stop(w, CAUSE_CPU);
		return;
	}

	uint64_t wait = (ceiling - used) / (uint64_t)(processors > 0 ? processors : 1);

	if (wait < WATCH_PROCESSOR_LEAST)
		wait = WATCH_PROCESSOR_LEAST;
	w->processor_at = watch_clock_us() + (wait < WATCH_PROCESSOR_MOST ? wait : WATCH_PROCESSOR_MOST);
}

static void check_wall(struct watch *w)
{
	w->end_at = WATCH_NEVER;
	if (w->gone)
		drop_outputs(w);
	else
		stop(w, CAUSE_TIMEOUT);
}

static void check_clocks(struct watch *w)
{
	uint64_t now = watch_clock_us();

	if (now >= w->end_at)
		check_wall(w);
	if (now >= w->processor_at)
		check_processor(w);
	if (now >= w->quota.at_us && quota_look(&w->quota, now))
		stop(w, CAUSE_WORKSPACE);
	if (now >= w->retry_at)
		retry_streams(w);
	if (now >= w->force_at)
		force(w);
	if (now >= w->abandon_at)
		become_gone(w);
}

/* ---- the loop ---- */

/* Once all are dead there is nothing to come: only readers are waited for, never a pipe. */
static bool waits_for_reader(const struct watch *w)
{
	for (int i = 1; i < 3; i++)
		if (relay_is_running(&w->streams->relay[i]) && w->streams->relay[i].state != RELAY_SINK)
			return false;
	return true;
}

static int wait_ms(const struct watch *w)
{
	const uint64_t clocks[] = { w->end_at, w->processor_at, w->quota.at_us, w->retry_at, w->force_at, w->abandon_at };
	uint64_t first = WATCH_NEVER, now = watch_clock_us();

	if (w->gone && !waits_for_reader(w))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++)
		if (clocks[i] < first)
			first = clocks[i];
	if (first == WATCH_NEVER)
		return -1;
	if (first <= now)
		return 0;

	uint64_t ms = (first - now + 999) / 1000;

	return ms < INT_MAX ? (int)ms : INT_MAX;
}

static void wait_for_something(const struct watch *w, struct pollfd *polls)
{
	bool running = !w->gone;

	polls[POLL_SOCKET] = (struct pollfd){ .fd = running ? w->launcher->socket : -1, .events = POLLIN };
	polls[POLL_LAUNCHER] =
	    (struct pollfd){ .fd = running && w->abandon_at == WATCH_NEVER ? w->launcher->process.pidfd : -1, .events = POLLIN };
	polls[POLL_SIGNALS] = (struct pollfd){ .fd = w->signals, .events = POLLIN };
	polls[POLL_CANCEL] = (struct pollfd){ .fd = w->stopped ? -1 : w->options->cancel_fd, .events = POLLIN };
	polls[POLL_EGRESS] = (struct pollfd){ .fd = w->report->egress ? w->report->egress->socket : -1, .events = POLLIN };
	polls[POLL_CONTROL] = (struct pollfd){ .fd = w->control_fd, .events = POLLIN };
	polls[POLL_TURN] = (struct pollfd){ .fd = w->options->turn_fd, .events = POLLIN };
	polls[POLL_RULES] = (struct pollfd){ .fd = w->report->egress ? w->options->rules_fd : -1, .events = POLLIN };
	for (int i = 0; i < 3; i++)
		relay_poll(&w->streams->relay[i], &polls[POLL_RELAYS + i * RELAY_POLLS]);
	if (poll(polls, POLL_ALL, wait_ms(w)) < 0)
		for (int i = 0; i < POLL_ALL; i++)
			polls[i].revents = 0;
}

int watch_begin(struct watch *w, struct err *err)
{
	uint64_t wall_us = w->prepared->wall_ms > UINT64_MAX / 2000 ? WATCH_NEVER : w->prepared->wall_ms * 1000;

	w->signals = -1;
	w->control_fd = w->options->control_fd;
	w->end_at = wall_us == WATCH_NEVER ? WATCH_NEVER : watch_clock_us() + wall_us;
	w->processor_at = w->prepared->cpu_ms > UINT64_MAX / 2000 ? WATCH_NEVER : 0;
	w->retry_at = w->force_at = w->abandon_at = WATCH_NEVER;
	quota_init(&w->quota, w->report->plan, w->options->session >= 0 ? WATCH_NEVER : 0);
	if (w->options->forward)
		w->signals = signal_open(w->options->forward);
	if (w->options->forward && w->signals < 0)
		return err_set(err, ERR_SETUP, -w->signals, "signals cannot be forwarded: %s", strerror(-w->signals));
	return 0;
}

void watch(struct watch *w)
{
	struct pollfd polls[POLL_ALL];

	while (!w->gone || any_output(w)) {
		wait_for_something(w, polls);
		hear_launcher(w, polls);
		if (w->report->egress && (polls[POLL_EGRESS].revents || w->gone))
			report_read_egress(w->report, w->launcher->socket);
		hear_caller(w, polls);
		if (polls[POLL_SIGNALS].revents)
			take_signals(w);
		if (polls[POLL_CANCEL].revents)
			cancel(w);
		move_streams(w, polls);
		check_clocks(w);
	}
	terminal_restore(w->terminal);
	own_close(&w->signals);
}
