#include "engine/report.h"

#include "base/own.h"
#include "sys/sock.h"

#include <errno.h>
#include <string.h>

enum { REPORT_TURN = 64, EGRESS_TURN = 1024 /* more than a socket holds: the last turn reads them all */ };
enum { REPORT_ASKED_MAX = 32 /* what surely fits into the socket there and back */ };

/* A message and its text, which is followed by zeros whatever the sender did. */
struct packet {
	struct wire wire;
	char text[WIRE_TEXT_MAX + 2];
};

void report_init(struct report *report, const struct plan *plan, const struct engine_run_options *options, struct arena *arena)
{
	*report = (struct report){ .plan = plan, .options = options, .arena = arena, .root = -1, .master = -1 };
}

static void take_failure(struct report *report, const struct wire *wire)
{
	if (report->failed)
		return;
	report->failed = true;
	report->failed_op = (uint32_t)wire->a;
	report->failed_errno = wire->b > 0 ? wire->b : EIO;
}

static void take_exit(struct report *report, const struct wire *wire)
{
	report->exited = true;
	report->status = wire->a;
	report->user_us = wire->utime_us;
	report->system_us = wire->stime_us;
	report->maxrss_kib = wire->maxrss_kib;
	report->processes_peak = wire->c;
	report->denials.dropped += wire->d; /* refusals that init had no time to tell */
}

static void note_denial(struct report *report, const struct denial *denial)
{
	const struct engine_run_options *options = report->options;
	const struct denial *new;

	if (options->ignores && options->ignores(options->context, denial)) {
		report->denials.ignored++;
		return;
	}
	new = denial_note(&report->denials, report->arena, denial);
	if (new && options->on_event)
		options->on_event(options->context, &(struct engine_event){ .type = ENGINE_DENIED, .denial = new });
}

static void take_denial(struct report *report, const struct packet *packet)
{
	struct denial_words words;
	const struct denial denial = denial_read(report->plan, &packet->wire, packet->text, &words);

	note_denial(report, &denial);
}

static void ask_for_sockets(struct report *report, int socket)
{
	const struct wire message = { .type = WIRE_SOCKET };

	while (report->egress && report->egress->wished && report->asked < REPORT_ASKED_MAX &&
	       sock_send(socket, &message, sizeof(message)) == 0) {
		report->egress->wished--;
		report->asked++;
	}
}

static void tell_connection(const struct report *report, const struct connection *connection)
{
	if (connection->verdict && report->options->on_event)
		report->options->on_event(report->options->context,
		                          &(struct engine_event){ .type = ENGINE_CONNECTION, .connection = connection });
}

void report_read_egress(struct report *report, int socket)
{
	struct denial denial;
	int r = 1;

	for (int i = 0; i < EGRESS_TURN && r > 0; i++) {
		r = egress_read(report->egress, &denial);
		if (r > 0)
			tell_connection(report, &report->egress->connection);
		if (r > 0 && denial.target)
			note_denial(report, &denial);
	}
	if (r < 0)
		report->egress = NULL; /* it is gone, and with it every way out */
	else
		ask_for_sockets(report, socket);
}

static void grant(struct report *report, int fd)
{
	report->asked -= report->asked > 0;
	if (report->egress)
		(void)egress_grant(report->egress, fd);
}

/* Rules are the caller's to send, not the sandbox's. */
static bool is_listener(int32_t kind)
{
	return kind == WIRE_LISTENER_PROXY || kind == WIRE_LISTENER_TRANSPARENT || kind == WIRE_LISTENER_RESOLVER;
}

static void take(struct report *report, const struct packet *packet, int *fd)
{
	switch (packet->wire.type) {
	case WIRE_FAILED:
		take_failure(report, &packet->wire);
		break;
	case WIRE_TERMINAL:
		if (report->master < 0)
			report->master = TAKE_FD(*fd);
		break;
	case WIRE_LISTENER:
		if (*fd >= 0 && report->egress && is_listener(packet->wire.a))
			(void)egress_hand_over(report->egress, (char)packet->wire.a, *fd);
		break;
	case WIRE_SOCKET:
		grant(report, *fd);
		break;
	case WIRE_SERVING:
		report->serving = true;
		if (report->root < 0)
			report->root = TAKE_FD(*fd);
		break;
	case WIRE_DENIED:
		take_denial(report, packet);
		break;
	case WIRE_STARTED:
		if (report->options->on_event)
			report->options->on_event(report->options->context, &(struct engine_event){ .type = ENGINE_EXECUTED });
		break;
	case WIRE_EXITED:
		take_exit(report, &packet->wire);
		break;
	default:
		break;
	}
}

/* False when there is nothing more for now. */
static bool read_one(struct report *report, int socket)
{
	struct packet packet;
	autofd int fd = -1;
	ssize_t n = sock_receive(socket, &packet, sizeof(packet) - 2, &fd);

	if (n == -ECONNRESET) /* it is gone and had not read all of ours: what it had said before comes next */
		return true;
	if (n == 0 || (n < 0 && n != -EAGAIN && n != -EMSGSIZE)) {
		report->ended = true;
		return false;
	}
	if (n >= (ssize_t)sizeof(packet.wire)) {
		memset((char *)&packet + n, 0, 2);
		take(report, &packet, &fd);
	}
	return n != -EAGAIN;
}

void report_read(struct report *report, int socket)
{
	for (int i = 0; i < REPORT_TURN && !report->ended && read_one(report, socket); i++)
		;
	ask_for_sockets(report, socket);
}

void report_done(struct report *report)
{
	own_close(&report->root);
	own_close(&report->master);
}
