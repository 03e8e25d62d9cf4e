/*
 * coffer-session: the supervisor of one session. Started with a socket, over which come a plan and all else that it needs; answers when clients are served,
 * and then stays until the session ends. Whoever started it may be long gone: it is nobody's child but process 1's, in a session of its own, without a
 * terminal, a working directory or a stream.
 *
 * Under the name of coffer-keeper: the keeper of one managed process (engine/keep.h), which begins its life in the same way.
 */
#include "base/own.h"
#include "engine/engine.h"
#include "engine/journal.h"
#include "engine/keep.h"
#include "engine/live.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { SOCKET_FD = 3, ARENA_MAX = 16 << 20 };

static void answer(int result, uint32_t refused_op, const struct err *err)
{
	struct live_started started = { .result = result, .refused_op = refused_op };

	if (err)
		started.err = *err;
	(void)sock_send(SOCKET_FD, &started, sizeof(started));
	close(SOCKET_FD);
}

static void on_ready(void *context)
{
	(void)context;
	answer(0, 0, NULL);
}

/* The one who started this waits for it; the one who serves is left to process 1. */
static void leave_parent(void)
{
	if (process_fork() > 0)
		_exit(0);
	(void)setsid();
}

static int wait_for_word(void)
{
	struct pollfd wanted = { .fd = SOCKET_FD, .events = POLLIN };

	return poll(&wanted, 1, -1) == 1 ? 0 : -errno;
}

static int receive(struct live_start *start, int fds[LIVE_START_FDS])
{
	ssize_t n = wait_for_word() == 0 ? sock_receive_fds(SOCKET_FD, start, sizeof(*start), fds, LIVE_START_FDS) : -1;

	return n == (ssize_t)sizeof(*start) && start->version == LIVE_VERSION && fds[0] >= 0 ? 0 : -EPROTO;
}

/* What more there is to remove is not for a program of so few means. */
static void clear_up(const struct live_start *start)
{
	autofd int dir = open(start->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (!start->keeps)
		(void)inverse_undo(&(struct inverse){ PLAN_INVERSE_REMOVE_TREE, start->dir });
	else if (dir >= 0)
		(void)file_replace_at(dir, LIVE_ENDED, "", 0, true);
}

static int supervise(struct live_start *start, const int fds[LIVE_START_FDS], uint32_t *refused_op, struct err *err)
{
	struct engine_run_options options;
	struct plan plan;
	autofd int dir = open(start->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct live_setting setting = { .plan = &plan,
		                        .dir = dir,
		                        .template_fd = fds[LIVE_START_TEMPLATE],
		                        .listener = fds[LIVE_START_LISTENER],
		                        .ttl_ms = start->ttl_ms,
		                        .idle_ms = start->idle_ms,
		                        .options = &options,
		                        .on_ready = on_ready };
	struct arena arena;
	int r = live_map_plan(fds[LIVE_START_PLAN], &plan);

	if (r < 0)
		return err_set(err, ERR_INTERNAL, -r, "the plan of the session: %s", strerror(-r));
	engine_run_options_init(&options);
	options.launcher = start->launcher[0] ? start->launcher : NULL;
	options.run_id = start->run_id;
	options.state_dir = start->state_dir;
	options.refused_op = refused_op;
	options.torture_op = start->torture_op;
	arena_init(&arena, ARENA_MAX);
	r = live_serve(&setting, &arena, err);
	arena_done(&arena);
	return r;
}

static int serve(void)
{
	static struct live_start start;
	struct err err = { 0 };
	uint32_t refused_op = UINT32_MAX;
	int fds[LIVE_START_FDS], r;

	if (receive(&start, fds) < 0)
		return 1;
	r = supervise(&start, fds, &refused_op, &err);
	if (r < 0)
		answer(r, refused_op, &err); /* what could not be made is its maker's to take away */
	else if (r > 0)
		clear_up(&start);
	return r < 0;
}

static void answer_starter(int result, const struct err *err)
{
	answer(result, UINT32_MAX, err);
}

static int keep(void)
{
	static struct keep_start start;
	int fds[KEEP_START_FDS];
	ssize_t n = wait_for_word() == 0 ? sock_receive_fds(SOCKET_FD, &start, sizeof(start), fds, KEEP_START_FDS) : -1;

	if (n != (ssize_t)sizeof(start) || start.version != KEEP_VERSION || fds[0] < 0)
		return 1;
	return keeper_run(&start, fds, answer_starter);
}

int main(int argc, char **argv)
{
	fd_close_from(SOCKET_FD + 1);
	(void)fcntl(SOCKET_FD, F_SETFD, FD_CLOEXEC);
	leave_parent();
	if (chdir("/") < 0)
		return 1;
	return argc > 0 && strcmp(argv[0], KEEP_NAME) == 0 ? keep() : serve();
}
