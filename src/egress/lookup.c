/*
 * Theory of operation. A lookup is a child and a pipe. Those who want the same name wait for the same child; when there are as many children as
 * there may be, a lookup waits its turn. A child ends itself by an alarm, so the filter needs no right to signal anybody; it is over when its
 * pipe is closed. It knows the filter's memory, but it shares no descriptor but the pipe, and what it says is judged like anybody's word.
 */
#include "egress/lookup.h"
#include "egress/filter.h"

#include "base/own.h"
#include "sys/fd.h"
#include "sys/ns.h"

#include <errno.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int prctl(int, ...); /* sys/prctl.h repeats what linux/prctl.h has */

struct lookup {
	struct source source; /* first */
	struct filter *filter;
	struct lookup *next;
	struct host host;
	int fd; /* -1: it waits its turn, or is over */
	struct conn *waiting;
	bool whole;
	size_t answers_n, own_n, part_n;
	struct lookup_record part;
	unsigned char answer[ADDRESSES_MAX][HOST_ADDRESS_BYTES];
	struct address_range *own; /* while it runs */
};

/* ---- the child ---- */

static void close_all_but(int fd)
{
	enum { NUMBERS = 1 << 16 };

	if (syscall(SYS_close_range, 0, fd - 1, 0) == 0 && syscall(SYS_close_range, fd + 1, ~0U, 0) == 0)
		return;
	for (int i = 0; i < NUMBERS; i++)
		if (i != fd)
			close(i);
}

static int start_child(struct lookup *lookup)
{
	int ends[2], r;
	pid_t pid;

	if (!lookup->own)
		lookup->own = calloc(OWN_MAX, sizeof(*lookup->own));
	r = lookup->own ? fd_pipe(ends) : -ENOMEM;
	if (r < 0)
		return r;

	autofd int ours = ends[0];
	autofd int theirs = ends[1];

	pid = ns_fork(0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		(void)alarm(LOOKUP_SECONDS);
		close_all_but(theirs);
		lookup_write(&lookup->host, theirs);
		_exit(0);
	}
	if (pid < 0)
		return (int)pid;
	r = fd_set_nonblocking(ours);
	if (r == 0)
		r = loop_watch(&lookup->filter->loop, ours, EPOLLIN, &lookup->source);
	if (r < 0)
		return r;
	lookup->fd = TAKE_FD(ours);
	lookup->filter->running_n++;
	return 0;
}

/* ---- what it says ---- */

static void take_record(struct lookup *lookup, const struct lookup_record *record)
{
	if (record->kind == LOOKUP_ANSWER && lookup->answers_n < ADDRESSES_MAX) {
		memcpy(lookup->answer[lookup->answers_n++], record->address, HOST_ADDRESS_BYTES);
	} else if (record->kind == LOOKUP_OWN && lookup->own_n < OWN_MAX) {
		struct address_range *own = &lookup->own[lookup->own_n++];

		memcpy(own->bytes, record->address, HOST_ADDRESS_BYTES);
		own->prefix = 8 * HOST_ADDRESS_BYTES;
	} else if (record->kind == LOOKUP_END) {
		lookup->whole = true;
	}
}

/* Reads what is there. False when there will be no more. */
static bool read_records(struct lookup *lookup)
{
	for (;;) {
		ssize_t n = read(lookup->fd, (char *)&lookup->part + lookup->part_n, sizeof(lookup->part) - lookup->part_n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		lookup->part_n += (size_t)n;
		if (lookup->part_n == sizeof(lookup->part)) {
			take_record(lookup, &lookup->part);
			lookup->part_n = 0;
		}
	}
}

/* ---- those who wait ---- */

static void unlink_lookup(struct lookup *lookup)
{
	struct lookup **at = &lookup->filter->lookups;

	while (*at != lookup)
		at = &(*at)->next;
	*at = lookup->next;
}

static void discard(struct lookup *lookup)
{
	free(lookup->own);
	free(lookup);
}

static void answer(struct lookup *lookup)
{
	struct filter *filter = lookup->filter;
	struct conn *conn;

	if (lookup->whole && lookup->own_n > 0) {
		memcpy(filter->own, lookup->own, lookup->own_n * sizeof(lookup->own[0]));
		filter->rules->addresses.own = (struct address_range_vec){ filter->own, lookup->own_n, OWN_MAX };
	}
	while ((conn = lookup->waiting)) {
		lookup->waiting = conn->next_waiting;
		conn->lookup = NULL;
		conn_forget(conn);
		if (lookup->whole)
			ask_resolved(conn, (const unsigned char(*)[HOST_ADDRESS_BYTES])lookup->answer, lookup->answers_n);
		else
			ask_resolved(conn, NULL, 0);
	}
}

static void start_waiting(struct filter *filter)
{
	for (struct lookup *lookup = filter->lookups, *next; lookup && filter->running_n < LOOKUPS_MAX; lookup = next) {
		next = lookup->next;
		if (lookup->fd < 0 && start_child(lookup) < 0) {
			unlink_lookup(lookup);
			answer(lookup);
			discard(lookup);
		}
	}
}

static void be_ready(struct source *source, uint32_t events)
{
	struct lookup *lookup = (struct lookup *)source;
	struct filter *filter = lookup->filter;

	(void)events;
	if (read_records(lookup))
		return;
	loop_unwatch(lookup->fd);
	own_close(&lookup->fd);
	filter->running_n--;
	unlink_lookup(lookup);
	answer(lookup);
	discard(lookup);
	start_waiting(filter);
}

static struct lookup *find_or_make(struct filter *filter, const struct host *host)
{
	struct lookup **at = &filter->lookups;
	struct lookup *lookup;

	while (*at && !host_is_same(&(*at)->host, host))
		at = &(*at)->next;
	if (*at)
		return *at;
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return NULL;
	*at = lookup;
	lookup->source.ready = be_ready;
	lookup->filter = filter;
	lookup->host = *host;
	lookup->fd = -1;
	return lookup;
}

int lookup_start(struct conn *conn)
{
	struct filter *filter = conn->filter;
	struct lookup *lookup = find_or_make(filter, conn_next(conn));
	int r = lookup ? 0 : -ENOMEM;

	if (lookup && lookup->fd < 0 && filter->running_n < LOOKUPS_MAX)
		r = start_child(lookup);
	if (r < 0 && lookup && !lookup->waiting) {
		unlink_lookup(lookup);
		discard(lookup);
	}
	if (r < 0)
		return r;
	conn->lookup = lookup;
	conn->next_waiting = lookup->waiting;
	lookup->waiting = conn;
	return 0;
}

void lookup_leave(struct conn *conn)
{
	struct lookup *lookup = conn->lookup;
	struct conn **at = lookup ? &lookup->waiting : NULL;

	if (!lookup)
		return;
	while (*at != conn)
		at = &(*at)->next_waiting;
	*at = conn->next_waiting;
	conn->lookup = NULL;
	if (lookup->waiting || lookup->fd >= 0)
		return;
	unlink_lookup(lookup);
	discard(lookup);
}
