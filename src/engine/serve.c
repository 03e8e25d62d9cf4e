/*
 * Theory of operation. The supervisor waits for six things: a word from process 1, the launcher's end, a client that comes, a client that
 * asks, an event of the egress filter, a clock. It starts and kills and passes on; whatever a client asks for is done at once, for nothing here waits.
 *
 *   running ──PAUSE──▶ paused ──EXEC, RESUME──▶ running          any ──END, ttl, idle, launcher gone, SIGTERM──▶ undone
 *
 * Idle means that no client executes anything, or has said that it uses the session; who only looks changes nothing. A paused session is idle as any other.
 */
#include "engine/live.h"

#include "base/own.h"
#include "engine/failure.h"
#include "engine/prepare.h"
#include "engine/quota.h"
#include "engine/report.h"
#include "engine/spawn.h"
#include "engine/watch.h"
#include "plan/wire.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/signal.h"
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POLL_SOCKET, POLL_LAUNCHER, POLL_LISTENER, POLL_EGRESS, POLL_SIGNALS, POLL_CLIENTS, POLL_ALL = POLL_CLIENTS + LIVE_CLIENTS_MAX };
enum { END_MS = 300 };

struct client {
	int socket; /* -1: the place is free */
	bool executes;
	bool uses; /* keeps the session from being idle */
};

struct serve {
	const struct live_setting *setting;
	struct arena *arena;
	struct prepared prepared;
	struct launcher launcher;
	struct report report;
	struct client client[LIVE_CLIENTS_MAX];
	uint32_t tag;
	int signals;
	uint64_t started_us, end_us, idle_us, active_us; /* active_us: when somebody was last */
	struct quota quota;                              /* of its workspace */
	enum live_state state;
	struct client *holder;  /* the only one who is heard; NULL: all are */
	bool holder_resumes;    /* nothing was paused before */
	bool stopped_by_signal; /* paused without a freezer */
	bool ends, is_over;     /* over: its time is up */
};

/* ---- making it ---- */

static int begin(struct serve *s, struct err *err)
{
	const struct live_setting *setting = s->setting;
	int r = prepare(setting->plan, setting->options, s->arena, &s->prepared, err);
	autofd int null = r < 0 ? -1 : fd_open_null();
	const int stdio[3] = { null, null, null };

	if (r == 0 && null < 0)
		r = err_set(err, ERR_SETUP, -null, "/dev/null: %s", strerror(-null));
	s->report.egress = s->prepared.egress.socket >= 0 ? &s->prepared.egress : NULL;
	if (r == 0)
		r = launcher_start(&s->launcher, setting->plan, setting->options, stdio, err);
	if (r == 0 && s->report.egress) {
		const struct wire ready = { .type = WIRE_READY };

		r = egress_wait(s->report.egress, err);
		if (r == 0)
			(void)sock_send(s->launcher.socket, &ready, sizeof(ready));
	}
	return r;
}

/* Process 1 says that it serves, or an operation failed, or the launcher ended without a word. */
static int await(struct serve *s, struct err *err)
{
	struct pollfd polls[2] = { { .fd = s->launcher.socket, .events = POLLIN }, { .fd = s->launcher.process.pidfd, .events = POLLIN } };

	while (!s->report.serving && !s->report.failed && !s->report.ended) {
		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return err_set(err, ERR_INTERNAL, errno, "poll: %s", strerror(errno));
		report_read(&s->report, s->launcher.socket);
	}
	if (s->report.serving)
		return 0;
	if (!s->report.failed)
		return err_set(err, ERR_SETUP, EPIPE, "the launcher ended without a word");
	if (s->setting->options->refused_op)
		*s->setting->options->refused_op = s->report.failed_op;
	return failure_set(err, s->setting->plan, s->report.failed_op, s->report.failed_errno);
}

/* ---- pause and resume ---- */

static void mark_state(struct serve *s, enum live_state state)
{
	int dir = s->setting->dir;

	s->state = state;
	if (dir >= 0 && state == LIVE_PAUSED)
		(void)file_replace_at(dir, LIVE_PAUSED_MARK, "", 0, false);
	else if (dir >= 0)
		(void)unlinkat(dir, LIVE_PAUSED_MARK, 0);
}

/* To all but process 1. */
static void send_signal(const struct serve *s, int number)
{
	const struct wire message = { .type = WIRE_SIGNAL, .a = number };

	(void)sock_send(s->launcher.socket, &message, sizeof(message));
}

static void stop_by_signal(struct serve *s, int number)
{
	send_signal(s, number);
	s->stopped_by_signal = number == SIGSTOP;
}

static int pause_all(struct serve *s)
{
	int r;

	if (s->state == LIVE_PAUSED)
		return 0;
	r = prepared_freeze(&s->prepared, true);
	if (r < 0 && r != -EOPNOTSUPP)
		(void)prepared_freeze(&s->prepared, false);
	if (r == -EOPNOTSUPP) {
		stop_by_signal(s, SIGSTOP);
		r = 0;
	}
	if (r < 0)
		return r;
	mark_state(s, LIVE_PAUSED);
	prepared_reclaim(&s->prepared);
	return 0;
}

static int resume(struct serve *s)
{
	int r = 0;

	if (s->state != LIVE_PAUSED)
		return 0;
	if (s->stopped_by_signal)
		stop_by_signal(s, SIGCONT);
	else
		r = prepared_freeze(&s->prepared, false);
	if (r == 0)
		mark_state(s, LIVE_RUNNING);
	return r;
}

/* For whoever works on what the processes write: an execution in between would let them go on. */
static int hold(struct serve *s, struct client *client)
{
	bool ran = s->state != LIVE_PAUSED;
	int r = pause_all(s);

	if (r == 0) {
		s->holder = client;
		s->holder_resumes = ran;
	}
	return r;
}

static void let_go(struct serve *s)
{
	s->holder = NULL;
	if (s->holder_resumes)
		(void)resume(s);
	s->holder_resumes = false;
}

/* ---- clients ---- */

static bool is_active(const struct serve *s)
{
	for (unsigned i = 0; i < LIVE_CLIENTS_MAX; i++)
		if (s->client[i].socket >= 0 && s->client[i].uses)
			return true;
	return false;
}

/* As the host has them: who may make pipes for the sandbox's user. */
static void find_owner(const struct plan *plan, struct live_reply *reply)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++) {
		if (plan->op[i].code != OP_IDMAP)
			continue;
		reply->owner_uid = (uint32_t)plan_number(&plan->op[i], 1);
		reply->owner_gid = (uint32_t)plan_number(&plan->op[i], 3);
	}
}

static struct live_reply describe(const struct serve *s, int result)
{
	uint64_t now = watch_clock_us();
	struct live_reply reply = { .version = LIVE_VERSION,
		                    .result = result,
		                    .state = s->state,
		                    .started_ms_ago = (now - s->started_us) / 1000,
		                    .ends_in_ms = s->end_us == WATCH_NEVER ? UINT64_MAX
		                                  : s->end_us > now        ? (s->end_us - now) / 1000
		                                                           : 0,
		                    .idle_for_ms = is_active(s) ? 0 : (now - s->active_us) / 1000 };

	for (unsigned i = 0; i < LIVE_CLIENTS_MAX; i++)
		reply.execs += s->client[i].socket >= 0 && s->client[i].executes;
	find_owner(s->setting->plan, &reply);
	return reply;
}

static void greet(struct serve *s, struct client *client, int socket)
{
	const int fds[LIVE_HELLO_FDS] = { [LIVE_HELLO_TEMPLATE] = s->setting->template_fd, [LIVE_HELLO_ROOT] = s->report.root };
	const struct live_reply hello = describe(s, 0);

	if (sock_send_fds(socket, &hello, sizeof(hello), fds, LIVE_HELLO_FDS) < 0)
		own_close(&socket);
	*client = (struct client){ .socket = socket };
}

static void let_in(struct serve *s)
{
	autofd int socket = accept4(s->setting->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (socket < 0 || live_check_peer(socket, true) < 0)
		return;
	for (unsigned i = 0; i < LIVE_CLIENTS_MAX; i++) {
		if (s->client[i].socket < 0) {
			greet(s, &s->client[i], TAKE_FD(socket));
			return;
		}
	}
}

/* Root's sandbox is somebody else, for whom a pipe of root's could not be opened again by its name (/dev/stdout). */
static void give_streams(const struct serve *s, const int *streams)
{
	struct live_reply owner = { 0 };
	struct stat st;

	find_owner(s->setting->plan, &owner);
	for (int i = 0; i < 3 && owner.owner_uid != geteuid(); i++)
		if (fstat(streams[i], &st) == 0 && S_ISFIFO(st.st_mode))
			(void)!fchown(streams[i], owner.owner_uid, owner.owner_gid);
}

static int execute(struct serve *s, struct client *client, const struct live_request *request, const int *fds)
{
	struct wire message = { .type = WIRE_EXEC, .a = (int32_t)++s->tag, .b = request->a };
	int r = resume(s);

	give_streams(s, fds + WIRE_EXEC_STREAMS);
	if (r == 0)
		r = sock_send_fds(s->launcher.socket, &message, sizeof(message), fds, WIRE_EXEC_FDS);
	client->executes = true;
	client->uses = !request->a;
	if (r == 0)
		return 0;
	message = (struct wire){ .type = WIRE_FAILED, .a = -1, .b = -r };
	return sock_send(fds[WIRE_EXEC_SOCKET], &message, sizeof(message));
}

static void set_lifetime(struct serve *s, const struct live_request *request)
{
	uint64_t now = watch_clock_us();

	s->end_us = request->b == LIVE_NEVER_MS ? WATCH_NEVER : now + request->b * 1000;
	s->idle_us = request->c == LIVE_NEVER_MS ? WATCH_NEVER : request->c * 1000;
}

static int obey(struct serve *s, struct client *client, const struct live_request *request, const int *fds)
{
	switch (request->type) {
	case LIVE_STATE:
		return 0;
	case LIVE_PAUSE:
		return request->a ? hold(s, client) : pause_all(s);
	case LIVE_RESUME:
		s->holder = NULL;
		return resume(s);
	case LIVE_LIFETIME:
		set_lifetime(s, request);
		return 0;
	case LIVE_RULES:
		return fds[0] < 0 ? -EPROTO : s->report.egress ? egress_renew(s->report.egress, fds[0]) : -EOPNOTSUPP;
	case LIVE_EXEC:
		return fds[0] < 0 ? -EPROTO : execute(s, client, request, fds);
	case LIVE_USE:
		client->uses = true;
		return 0;
	case LIVE_END:
		s->ends = true;
		return 0;
	default:
		return -ENOSYS;
	}
}

static void answer(const struct serve *s, const struct client *client, const struct live_request *request, int result)
{
	struct live_reply reply;

	if (request->type == LIVE_EXEC || request->type == LIVE_END)
		return; /* the exec's own socket, and the connection's end, say it */
	reply = describe(s, result);
	reply.memory_bytes = request->type == LIVE_STATE ? prepared_memory(&s->prepared) : 0;
	(void)sock_send(client->socket, &reply, sizeof(reply));
}

static void hear(struct serve *s, struct client *client)
{
	struct live_request request = { 0 };
	int fds[WIRE_EXEC_FDS];
	ssize_t n = sock_receive_fds(client->socket, &request, sizeof(request), fds, WIRE_EXEC_FDS);

	if (n == -EAGAIN)
		return;
	if (n == (ssize_t)sizeof(request)) {
		answer(s, client, &request, obey(s, client, &request, fds));
	} else {
		own_close(&client->socket);
		if (s->holder == client)
			let_go(s);
	}
	for (int i = 0; i < WIRE_EXEC_FDS; i++)
		own_close(&fds[i]);
	if (client->uses)
		s->active_us = watch_clock_us(); /* also when it has just gone */
}

/* ---- the filter's events ---- */

static void pass_event(void *context, const struct engine_event *event)
{
	struct serve *s = context;
	const struct egress *egress = &s->prepared.egress;

	if (event->type != ENGINE_CONNECTION)
		return;
	for (unsigned i = 0; i < LIVE_CLIENTS_MAX; i++)
		if (s->client[i].socket >= 0 && s->client[i].executes)
			(void)sock_send(s->client[i].socket, egress->packet, egress->packet_n); /* who does not read misses it */
}

/* ---- the loop ---- */

static int wait_ms(const struct serve *s)
{
	uint64_t now = watch_clock_us(), first = s->end_us;

	if (s->idle_us != WATCH_NEVER && !is_active(s) && s->active_us + s->idle_us < first)
		first = s->active_us + s->idle_us;
	if (s->state == LIVE_RUNNING && s->quota.at_us < first)
		first = s->quota.at_us;
	if (first == WATCH_NEVER)
		return -1;
	if (first <= now)
		return 0;
	return (first - now) / 1000 < INT_MAX ? (int)((first - now + 999) / 1000) : INT_MAX;
}

static void check_clocks(struct serve *s)
{
	uint64_t now = watch_clock_us();

	s->is_over = now >= s->end_us || (s->idle_us != WATCH_NEVER && !is_active(s) && now >= s->active_us + s->idle_us);
	s->ends = s->ends || s->is_over;
	if (s->state == LIVE_RUNNING && now >= s->quota.at_us && quota_look(&s->quota, now))
		send_signal(s, SIGKILL);
}

static void wait_for_something(const struct serve *s, struct pollfd *polls)
{
	polls[POLL_SOCKET] = (struct pollfd){ .fd = s->launcher.socket, .events = POLLIN };
	polls[POLL_LAUNCHER] = (struct pollfd){ .fd = s->launcher.process.pidfd, .events = POLLIN };
	polls[POLL_LISTENER] = (struct pollfd){ .fd = s->holder ? -1 : s->setting->listener, .events = POLLIN };
	polls[POLL_EGRESS] = (struct pollfd){ .fd = s->report.egress ? s->report.egress->socket : -1, .events = POLLIN };
	polls[POLL_SIGNALS] = (struct pollfd){ .fd = s->signals, .events = POLLIN };
	for (unsigned i = 0; i < LIVE_CLIENTS_MAX; i++)
		polls[POLL_CLIENTS + i] =
		    (struct pollfd){ .fd = s->holder && s->holder != &s->client[i] ? -1 : s->client[i].socket, .events = POLLIN };
	if (poll(polls, POLL_ALL, wait_ms(s)) < 0)
		for (int i = 0; i < POLL_ALL; i++)
			polls[i].revents = 0;
}

static void serve(struct serve *s)
{
	static struct pollfd polls[POLL_ALL];

	while (!s->ends) {
		wait_for_something(s, polls);
		if (polls[POLL_SOCKET].revents)
			report_read(&s->report, s->launcher.socket);
		if (polls[POLL_LAUNCHER].revents || s->report.ended || (polls[POLL_SIGNALS].revents && signal_next(s->signals) > 0))
			s->ends = true;
		if (polls[POLL_EGRESS].revents)
			report_read_egress(&s->report, s->launcher.socket);
		for (unsigned i = 0; i < LIVE_CLIENTS_MAX; i++)
			if (polls[POLL_CLIENTS + i].revents)
				hear(s, &s->client[i]);
		if (polls[POLL_LISTENER].revents)
			let_in(s);
		check_clocks(s);
	}
}

/* ---- the end ---- */

/* What is frozen does not die on version 1. */
static void end(struct serve *s)
{
	struct pollfd gone = { .fd = s->launcher.process.pidfd, .events = POLLIN };

	(void)resume(s);
	own_close(&s->launcher.socket);
	if (s->launcher.process.pid > 0 && poll(&gone, 1, END_MS) != 1) {
		(void)process_signal(&s->launcher.process, SIGKILL);
		prepared_kill(&s->prepared);
	}
	(void)launcher_done(&s->launcher);
	report_done(&s->report);
	prepared_undo(&s->prepared);
	for (unsigned i = 0; i < LIVE_CLIENTS_MAX; i++)
		own_close(&s->client[i].socket);
	own_close(&s->signals);
}

static int open_signals(struct serve *s, struct err *err)
{
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &ending, NULL);
	s->signals = signal_open(&ending);
	return s->signals < 0 ? err_set(err, ERR_SETUP, -s->signals, "signals: %s", strerror(-s->signals)) : 0;
}

static void live_init(struct serve *s, const struct live_setting *setting, struct engine_run_options *options, struct arena *arena)
{
	*s = (struct serve){ .setting = setting, .arena = arena, .signals = -1, .state = LIVE_RUNNING };
	prepared_init(&s->prepared);
	quota_init(&s->quota, setting->plan, 0);
	launcher_init(&s->launcher);
	options->on_event = pass_event;
	options->context = s;
	report_init(&s->report, setting->plan, options, arena);
	for (unsigned i = 0; i < LIVE_CLIENTS_MAX; i++)
		s->client[i].socket = -1;
	s->started_us = s->active_us = watch_clock_us();
	set_lifetime(s, &(struct live_request){ .b = setting->ttl_ms, .c = setting->idle_ms });
}

int live_serve(const struct live_setting *setting, struct arena *arena, struct err *err)
{
	static struct serve s;
	struct engine_run_options options = *setting->options;
	int r;

	live_init(&s, setting, &options, arena);
	r = open_signals(&s, err);
	if (r == 0)
		r = begin(&s, err);
	if (r == 0)
		r = await(&s, err);
	if (r == 0) {
		mark_state(&s, LIVE_RUNNING); /* a mark may be a dead one's */
		setting->on_ready(setting->context);
		serve(&s);
	}
	end(&s);
	return r == 0 ? s.is_over : r;
}
