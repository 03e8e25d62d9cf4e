#include "egress/loop.h"
#include "egress/weak.h"

#include "sys/fd.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>

enum { EVENTS_MAX = 256 };

static uint64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int the_epoll = -1;

int loop_init(struct loop *loop)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	int r = fd < 0 ? -errno : fd_raise(&fd);

	if (r < 0)
		return r;
	*loop = (struct loop){
		.epoll = fd,
		.now_ms = clock_ms(),
		.length_ms = { [WAIT_SOON] = WAIT_SOON_MS,
		               [WAIT_STEP] = WAIT_STEP_MS,
		               [WAIT_IDLE] = WAIT_IDLE_MS,
		               [WAIT_HANDSHAKE] = WAIT_HANDSHAKE_MS,
		               [WAIT_VERDICT] = WAIT_VERDICT_MS,
		               [WAIT_ANSWER] = WAIT_ANSWER_MS },
	};
	the_epoll = fd;
	loop->turns_end = &loop->turns;
	for (int i = 0; i < WAIT_KINDS; i++)
		loop->queue[i].next = loop->queue[i].prev = &loop->queue[i];
	return 0;
}

int loop_watch(struct loop *loop, int fd, uint32_t events, struct source *source)
{
	struct epoll_event event = { .events = events | EPOLLRDHUP | EPOLLET, .data = { .ptr = source } };

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void loop_unwatch(int fd)
{
	if (fd >= 0)
		(void)epoll_ctl(the_epoll, EPOLL_CTL_DEL, fd, NULL);
}

void loop_forget(struct wait *wait)
{
	if (!wait->next)
		return;
	wait->next->prev = wait->prev;
	wait->prev->next = wait->next;
	wait->next = wait->prev = NULL;
}

void loop_wait(struct loop *loop, struct wait *wait, enum wait_kind kind)
{
	struct wait *head = &loop->queue[kind];

	loop_forget(wait);
	wait->until_ms = loop->now_ms + loop->length_ms[kind];
	wait->prev = head->prev;
	wait->next = head;
	head->prev->next = wait;
	head->prev = wait;
}

void loop_queue(struct loop *loop, struct turn *turn)
{
	if (turn->queued)
		return;
	turn->queued = true;
	turn->next = NULL;
	*loop->turns_end = turn;
	loop->turns_end = &turn->next;
}

/* Those that were queued before now: a turn that queues itself again is for the next round. */
static void run_turns(struct loop *loop)
{
	struct turn *turn = loop->turns;

	loop->turns = NULL;
	loop->turns_end = &loop->turns;
	while (turn) {
		struct turn *next = turn->next;

		turn->queued = false;
		turn->run(turn);
		turn = next;
	}
}

static void run_late(struct loop *loop)
{
	for (int i = 0; i < WAIT_KINDS; i++) {
		struct wait *head = &loop->queue[i];

		while (head->next != head && head->next->until_ms <= loop->now_ms && !WEAKENED("clock")) {
			struct wait *wait = head->next;

			loop_forget(wait);
			wait->late(wait);
		}
	}
}

static int sleep_ms(const struct loop *loop)
{
	uint64_t ms = UINT64_MAX;

	if (loop->turns)
		return 0;
	for (int i = 0; i < WAIT_KINDS; i++) {
		const struct wait *head = &loop->queue[i];
		uint64_t until = head->next->until_ms;

		if (head->next != head && (until < loop->now_ms ? 0 : until - loop->now_ms) < ms)
			ms = until < loop->now_ms ? 0 : until - loop->now_ms;
	}
	return ms == UINT64_MAX ? -1 : (int)ms;
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[EVENTS_MAX];

	while (!loop->over) {
		int n = epoll_wait(loop->epoll, events, EVENTS_MAX, sleep_ms(loop));

		if (n < 0 && errno != EINTR)
			return -errno;
		loop->now_ms = clock_ms();
		for (int i = 0; i < n; i++) {
			struct source *source = events[i].data.ptr;

			source->ready(source, events[i].events);
		}
		run_late(loop);
		run_turns(loop);
	}
	return 0;
}
