#include "engine/streams.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void streams_init(struct streams *streams)
{
	*streams = (struct streams){ .child = { -1, -1, -1 },
		                     .null = -1,
		                     .spill = { { .fd = -1 }, { .fd = -1 } },
		                     .relay = { RELAY_NONE, RELAY_NONE, RELAY_NONE } };
}

static void deliver(void *context, const void *bytes, size_t n)
{
	const struct delivery *delivery = context;
	const struct engine_event event = { .type = ENGINE_OUTPUT, .stream = delivery->stream, .bytes = bytes, .len = n };

	delivery->options->on_event(delivery->options->context, &event);
}

/* A descriptor of the caller's, as the run sees it. */
struct caller_stream {
	int fd;
	struct fd_facts facts;
	bool is_null;
};

static void look(const struct streams *streams, const struct engine_run_options *options, const struct terminal *terminal,
                 struct caller_stream ret[3])
{
	const int fds[3] = { options->stdin_fd, options->stdout_fd, options->stderr_fd };

	for (int i = 0; i < 3; i++) {
		ret[i] = (struct caller_stream){ .fd = fds[i], .facts = fd_look(fds[i]) };

		bool to_callback = i > 0 && fds[i] < 0 && options->on_event;
		bool served = terminal->serves & 1U << i;
		bool thrown_away = ret[i].facts.kind == FD_NULL && !(i > 0 && streams->count_all);

		ret[i].is_null = served || thrown_away || (ret[i].facts.kind == FD_CLOSED && !to_callback);
	}
}

static bool lead_to_the_same(const struct caller_stream *a, const struct caller_stream *b)
{
	return a->fd >= 0 && b->fd >= 0 && !a->is_null && !b->is_null && a->facts.dev == b->facts.dev && a->facts.ino == b->facts.ino;
}

/* Stream i through a pipe. */
static int open_pipe(struct streams *streams, int i, const struct caller_stream *caller)
{
	int ends[2];
	int r = fd_pipe(ends);

	if (r < 0)
		return r;

	autofd int ours = ends[i == 0 ? 1 : 0];

	streams->child[i] = ends[i == 0 ? 0 : 1];
	r = fd_set_nonblocking(ours);
	if (r < 0)
		return r;

	struct relay_end inner = { .fd = TAKE_FD(ours), .kind = FD_PIPE, .ours = true };
	struct relay_end outer = { .fd = caller->fd, .kind = caller->facts.kind };
	struct relay *relay = &streams->relay[i];

	if (i == 0)
		relay_init(relay, outer, inner);
	else
		relay_init(relay, inner, outer);
	relay->deliver = deliver;
	relay->context = &streams->delivery[i];
	return 0;
}

static int open_all(struct streams *streams, const struct caller_stream caller[3])
{
	bool shared = lead_to_the_same(&caller[1], &caller[2]);
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++) {
		if (caller[i].is_null && streams->null < 0) {
			streams->null = fd_open_null();
			r = streams->null < 0 ? streams->null : 0;
		} else if (i == 2 && shared) {
			streams->child[2] = fcntl(streams->child[1], F_DUPFD_CLOEXEC, FD_LOWEST);
			r = streams->child[2] < 0 ? -errno : 0;
		} else if (!caller[i].is_null) {
			r = open_pipe(streams, i, &caller[i]);
		}
	}
	return r;
}

static int open_spills(struct streams *streams, const struct spill_wish *wish)
{
	int r = 0;

	for (int i = 0; i < 2 && r == 0 && wish; i++)
		r = wish->name[i] ? spill_init(&streams->spill[i], wish, i) : 0;
	for (int i = 0; i < 2; i++)
		if (streams->spill[i].held && relay_is_running(&streams->relay[i + 1]))
			relay_spill(&streams->relay[i + 1], &streams->spill[i]);
	return r;
}

int streams_open(struct streams *streams, const struct engine_run_options *options, const struct terminal *terminal, struct err *err)
{
	struct caller_stream caller[3];

	look(streams, options, terminal, caller);
	for (int i = 0; i < 3; i++)
		streams->delivery[i] = (struct delivery){ .options = options, .stream = i };

	int r = open_all(streams, caller);

	if (r == 0)
		r = open_spills(streams, options->spill);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "the standard streams: %s", strerror(-r)) : 0;
}

void streams_close_child(struct streams *streams)
{
	for (int i = 0; i < 3; i++)
		own_close(&streams->child[i]);
	own_close(&streams->null);
}

/* The terminal's output goes where the first of the streams that it serves goes; of one that serves input alone, to the caller's own. */
static int output_of(const struct terminal *terminal)
{
	return (terminal->serves & TERMINAL_OUTPUT) || !(terminal->serves & TERMINAL_ERROR) ? 1 : 2;
}

static int output_fd(const struct engine_run_options *options, const struct terminal *terminal)
{
	if (terminal->serves & TERMINAL_OUTPUT)
		return options->stdout_fd;
	return terminal->serves & TERMINAL_ERROR ? options->stderr_fd : terminal->caller;
}

static int join_terminal_end(const struct terminal *terminal, struct relay_end *ret_end)
{
	int fd = fcntl(terminal->master, F_DUPFD_CLOEXEC, FD_LOWEST);

	if (fd < 0)
		return -errno;
	*ret_end = (struct relay_end){ .fd = fd, .kind = FD_TERMINAL, .ours = true, .is_master = true };
	return 0;
}

int streams_join_terminal(struct streams *streams, const struct engine_run_options *options, const struct terminal *terminal)
{
	struct relay_end keys = { .fd = options->stdin_fd, .kind = fd_look(options->stdin_fd).kind };
	struct relay_end screen = { .fd = output_fd(options, terminal) }, master;
	int i = output_of(terminal);
	int r = join_terminal_end(terminal, &master);

	if (r < 0)
		return r;
	screen.kind = fd_look(screen.fd).kind;

	uint64_t ceiling = streams->relay[i].ceiling;

	relay_done(&streams->relay[i]);
	relay_init(&streams->relay[i], master, screen);
	streams->relay[i].ceiling = ceiling;
	streams->relay[i].deliver = deliver;
	streams->relay[i].context = &streams->delivery[i];
	if (streams->spill[i - 1].held)
		relay_spill(&streams->relay[i], &streams->spill[i - 1]);
	if (!(terminal->serves & TERMINAL_INPUT) || keys.kind == FD_CLOSED)
		return 0;
	r = join_terminal_end(terminal, &master);
	if (r == 0)
		relay_init(&streams->relay[0], keys, master);
	return r;
}

void streams_set_ceiling(struct streams *streams, uint64_t bytes)
{
	streams->relay[1].ceiling = bytes;
	streams->relay[2].ceiling = bytes;
}

void streams_done(struct streams *streams)
{
	for (int i = 0; i < 3; i++)
		relay_done(&streams->relay[i]);
	for (int i = 0; i < 2; i++)
		spill_done(&streams->spill[i]);
	streams_close_child(streams);
}
