#include "egress/filter.h"
#include "egress/spare.h"

#include "sys/sock.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { LINE_MAX_BYTES = 8192, TOLD_LATER_MAX = 64 << 10 };

static struct str later; /* lines that are told when nobody waits any more */

static void add_text(struct str *line, const char *name, const char *text)
{
	str_printf(line, ",\"%s\":", name);
	str_add_json_text(line, text);
}

static void add_number(struct str *line, const char *name, uint64_t number)
{
	str_printf(line, ",\"%s\":%llu", name, (unsigned long long)number);
}

static void send_line(struct filter *filter, struct str *line)
{
	if (filter->dropped)
		add_number(line, "dropped", filter->dropped);
	str_add(line, "}\n");
	if (line->failed || sock_send(filter->control_fd, line->text, line->len) == -EAGAIN)
		filter->dropped++;
	else
		filter->dropped = 0;
}

static void send_later(struct filter *filter)
{
	const char *at = later.text;

	for (const char *end; later.len > 0 && (end = strchr(at, '\n')); at = end + 1) {
		autospare struct str line;

		spare_take(&line, LINE_MAX_BYTES);
		str_add_n(&line, at, (size_t)(end - at));
		send_line(filter, &line);
	}
	str_clear(&later);
}

void report_late(struct turn *telling)
{
	send_later((struct filter *)(void *)((char *)telling - offsetof(struct filter, telling)));
}

/* A refusal is told before the client hears of it, and may end; what is allowed after the client has its answer. */
static void tell(struct filter *filter, enum report what, struct str *line)
{
	if (what == REPORT_DENY || later.len + line->len + 1 >= TOLD_LATER_MAX)
		send_later(filter);
	if (what == REPORT_DENY || line->failed) {
		send_line(filter, line);
		return;
	}
	later.ceiling = TOLD_LATER_MAX;
	str_add_n(&later, line->text, line->len);
	str_add_char(&later, '\n');
	loop_queue(&filter->loop, &filter->telling);
}

static void begin_line(struct str *line, const char *event, const char *way, const char *host)
{
	spare_take(line, LINE_MAX_BYTES);
	str_printf(line, "{\"event\":\"%s\"", event);
	add_text(line, "way", way);
	add_text(line, "host", host);
}

void report(struct conn *conn, enum report what, const char *reason)
{
	static const char *const events[] = { [REPORT_OPEN] = "open", [REPORT_DENY] = "deny", [REPORT_CLOSE] = "close" };
	static const char *const ways[] = { [WAY_HTTP] = "http",
		                            [WAY_CONNECT] = "connect",
		                            [WAY_SOCKS5] = "socks5",
		                            [WAY_TRANSPARENT] = "transparent",
		                            [WAY_HTTPS] = "https" };
	bool counts = conn->is_open;
	autospare struct str line;

	begin_line(&line, events[what], ways[conn->way], conn->goal.host.text);
	add_number(&line, "port", conn->goal.port);
	add_text(&line, "rule", conn->goal.rule ? conn->goal.rule->why : NULL);
	add_text(&line, "reason", reason);
	add_number(&line, "bytes_up", counts ? conn->up.passed - conn->up_before : 0);
	add_number(&line, "bytes_down", counts ? conn->down.passed - conn->down_before : 0);
	add_number(&line, "duration_ms", counts ? conn->filter->loop.now_ms - conn->opened_ms : 0);
	tell(conn->filter, what, &line);
}

void report_rules(struct filter *filter, const char *reason)
{
	autospare struct str line;

	begin_line(&line, reason ? "deny" : "rules", "control", "other rules");
	add_text(&line, "reason", reason);
	tell(filter, REPORT_DENY, &line);
}

void report_decider(struct filter *filter, const char *reason)
{
	autostr struct str line;

	begin_line(&line, "decider", "control", "");
	add_text(&line, "reason", reason);
	send_line(filter, &line);
}

void report_name(struct filter *filter, const struct host *host, const struct domain_verdict *verdict)
{
	autospare struct str line;

	begin_line(&line, "deny", "dns", host->text);
	add_text(&line, "rule", verdict->rule ? verdict->rule->why : NULL);
	add_text(&line, "reason", verdict->reason);
	tell(filter, REPORT_DENY, &line);
}
