#include "cli/access_log.h"

#include "base/str.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

enum { LINE_BYTES_MAX = 64 << 10 };

int access_log_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : fd;
}

static void add_text(struct str *line, const char *name, const char *text)
{
	str_printf(line, ",\"%s\":", name);
	str_add_json_text(line, text);
}

/* RFC 3339, in UTC. */
static void add_time(struct str *line)
{
	struct timespec now = { 0 };
	struct tm parts = { 0 };
	char text[32] = "";

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &parts))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	str_printf(line, "{\"time\":\"%s.%03ldZ\"", text, now.tv_nsec / 1000000);
}

int access_log_write(int fd, const struct coffer_connection *connection)
{
	autostr struct str line;

	str_init(&line, LINE_BYTES_MAX);
	add_time(&line);
	add_text(&line, "verdict", connection->verdict);
	add_text(&line, "way", connection->way);
	add_text(&line, "host", connection->host);
	str_printf(&line, ",\"port\":%u", connection->port);
	add_text(&line, "rule", connection->rule);
	add_text(&line, "reason", connection->reason);
	str_printf(&line, ",\"bytes_up\":%llu,\"bytes_down\":%llu,\"duration_ms\":%llu", (unsigned long long)connection->bytes_up,
	           (unsigned long long)connection->bytes_down, (unsigned long long)connection->duration_ms);
	if (connection->dropped)
		str_printf(&line, ",\"dropped\":%llu", (unsigned long long)connection->dropped);
	str_add(&line, "}\n");
	return line.failed ? -ENOMEM : fd_write_all(fd, line.text, line.len);
}
