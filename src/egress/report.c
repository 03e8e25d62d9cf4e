#include "egress/filter.h"

#include "sys/sock.h"

#include <errno.h>
#include <string.h>

enum { LINE_MAX_BYTES = 8192 };

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

static void begin_line(struct str *line, const char *event, const char *way, const char *host)
{
	str_init(line, LINE_MAX_BYTES);
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
	autostr struct str line;

	begin_line(&line, events[what], ways[conn->way], conn->goal.host.text);
	add_number(&line, "port", conn->goal.port);
	add_text(&line, "rule", conn->goal.rule ? conn->goal.rule->why : NULL);
	add_text(&line, "reason", reason);
	add_number(&line, "bytes_up", counts ? conn->up.passed - conn->up_before : 0);
	add_number(&line, "bytes_down", counts ? conn->down.passed - conn->down_before : 0);
	add_number(&line, "duration_ms", counts ? conn->filter->loop.now_ms - conn->opened_ms : 0);
	send_line(conn->filter, &line);
}

void report_rules(struct filter *filter, const char *reason)
{
	autostr struct str line;

	begin_line(&line, reason ? "deny" : "rules", "control", "other rules");
	add_text(&line, "reason", reason);
	send_line(filter, &line);
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
	autostr struct str line;

	begin_line(&line, "deny", "dns", host->text);
	add_text(&line, "rule", verdict->rule ? verdict->rule->why : NULL);
	add_text(&line, "reason", verdict->reason);
	send_line(filter, &line);
}
