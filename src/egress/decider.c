/*
 * Theory of operation. There is one stream in a process, and its end is the end of everything: whoever waits for a verdict is refused, nobody is
 * accepted any more, and the engine hears why. In a sandbox only what would have to be asked is refused from then on; and since a command may be quicker than
 * its decider, questions are put before the stream has come, and wait for it. An id is asked about once; those that were given up are remembered for a while, since their
 * verdicts may be on their way. A verdict that nobody can have asked for is a slip like any other.
 */
#include "egress/decider.h"

#include "base/own.h"
#include "sys/fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { LATE_IDS = 4096, READ_TURN = 64 << 10, LENGTH_BYTES = 4, QUEUE_MAX = 128 << 20 };

static struct link {
	struct source in, out; /* first */
	struct filter *filter;
	int in_fd, out_fd;
	struct str received, queued;
	size_t sent; /* of what is queued */
	bool greeted, queues;
	const char *dead; /* why */
	struct arena arena;
	uint64_t last_id, late[LATE_IDS];
	char why[128];
} stream = { .in_fd = -1, .out_fd = -1 };

/* ---- the end ---- */

bool decider_is_wanted(const struct filter *filter)
{
	return filter->rules->asks || filter->rules->asks_hosts || filter->rules->asks_requests;
}

static void end_all(struct filter *filter)
{
	for (size_t i = 0; i < filter->listeners_n; i++)
		if (filter->listener[i].fd >= 0) {
			loop_unwatch(filter->listener[i].fd);
			close(filter->listener[i].fd);
			filter->listener[i].fd = -1;
		}
	filter->leaving = true;
	decider_refuse_all(filter, stream.why);
	conn_leave_idle(filter);
}

void decider_die(const char *why)
{
	struct filter *filter = stream.filter;

	if (stream.dead)
		return;
	snprintf(stream.why, sizeof(stream.why), "%s", why);
	stream.dead = stream.why;
	loop_unwatch(stream.in_fd);
	loop_unwatch(stream.out_fd);
	report_decider(filter, stream.why);
	if (filter->rules->asks) {
		end_all(filter);
		return;
	}
	own_close(&stream.in_fd);
	own_close(&stream.out_fd);
	str_done(&stream.queued);
	decider_refuse_all(filter, stream.why);
	decider_host_refuse_all();
}

const char *decider_trouble(void)
{
	return stream.dead ? "request decider unavailable" : "request decider not ready";
}

uint64_t decider_next_id(const struct filter *filter)
{
	return stream.dead || (filter->rules->asks && !stream.greeted) ? 0 : ++stream.last_id;
}

void decider_forget_id(uint64_t id)
{
	stream.late[id % LATE_IDS] = id;
}

/* ---- what goes out ---- */

static void write_queued(void)
{
	while (!stream.dead && stream.out_fd >= 0 && stream.sent < stream.queued.len) {
		ssize_t n = write(stream.out_fd, stream.queued.text + stream.sent, stream.queued.len - stream.sent);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR) {
			decider_die("write error");
			return;
		}
		stream.sent += n > 0 ? (size_t)n : 0;
	}
	if (stream.dead || stream.out_fd < 0)
		return;
	str_done(&stream.queued);
	str_init(&stream.queued, QUEUE_MAX);
	stream.sent = 0;
}

static void be_writable(struct source *source, uint32_t events)
{
	(void)source;
	if (events & EPOLLERR)
		decider_die("decider closed the output stream");
	else if (stream.queued.len > 0)
		write_queued();
}

void decider_send(struct str *frame)
{
	const char length[LENGTH_BYTES] = { (char)(frame->len >> 24), (char)(frame->len >> 16), (char)(frame->len >> 8), (char)frame->len };

	if (!stream.queues)
		str_init(&stream.queued, QUEUE_MAX);
	stream.queues = true;
	str_add_n(&stream.queued, length, sizeof(length));
	str_add_n(&stream.queued, frame->text, frame->len);
	if (frame->failed || stream.queued.failed)
		decider_die("not reading");
	str_done(frame);
	if (!stream.dead)
		write_queued();
}

/* ---- what comes in ---- */

static int add_pattern(struct domain_vec *list, const json_t *entry, bool deny)
{
	struct domain_pattern parsed, *slot;
	const char *said = json_string_value(entry), *colon = strchr(said, ':');
	bool bare = said[0] != '[' && colon && strchr(colon + 1, ':'); /* an IPv6 address */
	const char *text = arena_printf(&stream.arena, bare ? "[%s]" : "%s", said);

	if (!text || domain_pattern_parse(text, deny, &parsed) < 0)
		return -EINVAL;
	slot = domain_vec_add(list, &stream.arena);
	if (!slot)
		return -ENOMEM;
	parsed.why = deny ? "the decider's deniedDomains" : "the decider's allowedDomains";
	*slot = parsed;
	return 0;
}

static int add_patterns(struct domain_vec *list, const json_t *entries, bool deny)
{
	size_t i;
	json_t *entry;
	int r = 0;

	json_array_foreach (entries, i, entry)
		r = r < 0 ? r : add_pattern(list, entry, deny);
	return r;
}

static void take_hello(const json_t *frame)
{
	struct domain_rules *domains = &stream.filter->rules->domains;
	const json_t *allowed = json_object_get(frame, "allowedDomains");
	bool lists = json_array_size(allowed) + json_array_size(json_object_get(frame, "deniedDomains")) > 0;
	int r = decider_check_hello(frame) && (stream.filter->rules->asks || !lists) ? add_patterns(&domains->allowed, allowed, false)
	                                                                             : -EINVAL;

	if (r == 0)
		r = add_patterns(&domains->denied, json_object_get(frame, "deniedDomains"), true);
	if (r < 0) {
		decider_die("bad hello");
		return;
	}
	stream.greeted = true;
	report_decider(stream.filter, NULL);
}

static bool was_given_up(uint64_t id)
{
	if (id <= stream.last_id && stream.last_id - id >= LATE_IDS)
		return true;
	return stream.late[id % LATE_IDS] == id;
}

static void take_verdict(json_t *frame)
{
	struct verdict verdict;
	char why[80];

	if (!decider_check_verdict(frame, &verdict)) {
		decider_die("bad verdict frame");
	} else if (was_given_up(verdict.id)) {
		return;
	} else if (decider_host_is_asked(verdict.id)) {
		decider_host_answer(&verdict);
	} else if (decider_is_asked(stream.filter, verdict.id)) {
		decider_answer(stream.filter, &verdict, frame);
	} else {
		snprintf(why, sizeof(why), "verdict for id %llu, which nothing waits on", (unsigned long long)verdict.id);
		decider_die(why);
	}
}

static void take_frame(const char *text, size_t n)
{
	autojson json_t *frame = NULL;

	if (json_read(text, n, "decider", &frame, NULL) < 0)
		decider_die("frame is not valid JSON");
	else if (!json_is_object(frame))
		decider_die("frame is not one JSON object");
	else if (!stream.greeted)
		take_hello(frame);
	else
		take_verdict(frame);
}

static void take_frames(void)
{
	size_t at = 0;

	while (!stream.dead && stream.received.len - at >= LENGTH_BYTES) {
		const unsigned char *head = (const unsigned char *)stream.received.text + at;
		size_t n = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];

		if (n > DECIDER_FRAME_MAX) {
			decider_die("oversized frame");
			return;
		}
		if (stream.received.len - at - LENGTH_BYTES < n)
			break;
		take_frame(stream.received.text + at + LENGTH_BYTES, n);
		at += LENGTH_BYTES + n;
	}
	if (at > 0) {
		stream.received.len -= at;
		memmove(stream.received.text, stream.received.text + at, stream.received.len);
	}
}

static void be_readable(struct source *source, uint32_t events)
{
	static char bytes[READ_TURN];
	ssize_t n = 1;

	(void)source;
	(void)events;
	while (!stream.dead && n > 0) {
		n = read(stream.in_fd, bytes, sizeof(bytes));
		if (n > 0) {
			str_add_n(&stream.received, bytes, (size_t)n);
			take_frames();
		} else if (n == 0) {
			decider_die("decider closed the stream");
		} else if (errno == EINTR) {
			n = 1;
		} else if (errno != EAGAIN) {
			decider_die("read error");
		}
	}
}

/* ---- the beginning ---- */

static void begin(struct filter *filter)
{
	autostr struct str hello;
	autostr struct str waiting = stream.queued; /* goes behind the hello */

	stream.in.ready = be_readable;
	stream.out.ready = be_writable;
	stream.queues = false;
	str_init(&stream.received, 2 * DECIDER_FRAME_MAX);
	str_init(&hello, 64);
	arena_init(&stream.arena, RULES_ARENA_MAX);
	if (fd_set_nonblocking(stream.in_fd) < 0 || fd_set_nonblocking(stream.out_fd) < 0 ||
	    loop_watch(&filter->loop, stream.in_fd, EPOLLIN, &stream.in) < 0 ||
	    loop_watch(&filter->loop, stream.out_fd, EPOLLOUT, &stream.out) < 0) {
		decider_die("no stream");
		return;
	}
	str_add(&hello, "{\"t\":\"hello\",\"proto\":1}");
	decider_send(&hello);
	str_add_n(&stream.queued, waiting.text, waiting.len);
	write_queued();
	be_readable(&stream.in, EPOLLIN);
}

void decider_obey(struct filter *filter, char kind, int *fd)
{
	int *place = kind == DECIDER_IN ? &stream.in_fd : &stream.out_fd;

	stream.filter = filter;
	if (kind == DECIDER_END) {
		decider_die("closed");
		return;
	}
	if (*place >= 0 || *fd < 0 || stream.dead)
		return;
	*place = *fd;
	*fd = -1;
	if (stream.in_fd >= 0 && stream.out_fd >= 0)
		begin(filter);
}
