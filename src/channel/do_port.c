/*
 * Theory of operation. Whether somebody listens inside is asked of the kernel, through the sandbox's own procfs, where process 1 shows the sandbox's network. Nothing is
 * executed and nothing connected: a server sees nothing of being waited for.
 */
#include "channel/do_session.h"

#include "base/json.h"
#include "base/own.h"
#include "channel/params.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000, INTERVAL_MS = 250, INTERVAL_LEAST_MS = 10, TABLE_MAX = 4 << 20 };

static uint64_t now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int read_ports(const struct work *work, struct coffer_session **ret_session, json_t **ret_ports, struct err *err)
{
	autojson json_t *entry = NULL;
	const char *text;
	int r = work_session(work, ret_session, err);

	if (r == 0)
		r = session_read(*ret_session, &entry, err);
	if (r < 0)
		return r;
	text = json_string_value(json_object_get(json_object_get(entry, "labels"), "coffer.ports"));
	text = text ? text : "[]";
	return json_read(text, strlen(text), "ports", ret_ports, err);
}

static int add_json(struct str *result, const json_t *value, struct err *err)
{
	autofree char *text = json_dumps(value, JSON_COMPACT);

	if (!text)
		return work_no_memory(err);
	str_add(result, text);
	return 0;
}

int do_port_list(struct work *work, struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	autojson json_t *ports = NULL;
	int r = read_ports(work, &session, &ports, err);

	if (r < 0)
		return r;
	str_add(result, "{\"ports\":");
	r = add_json(result, ports, err);
	str_add_char(result, '}');
	return r;
}

/* "  0: 00000000:0BB8 00000000:0000 0A …": a socket at the wildcard address, that port, listening. */
static bool is_listener(const char *line, uint64_t wanted)
{
	char address[33] = "", remote[48] = "";
	unsigned slot, port, state;

	if (sscanf(line, " %u: %32[0-9A-F]:%4X %47s %2X", &slot, address, &port, remote, &state) != 5)
		return false;
	return port == wanted && state == 0x0a && strspn(address, "0") == strlen(address);
}

static bool has_listener(int root, const char *path, uint64_t port)
{
	const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	FILE *table = fd < 0 ? NULL : fdopen(fd, "r");
	char line[256];
	bool found = false;

	while (table && !found && fgets(line, sizeof(line), table))
		found = is_listener(line, port);
	if (table)
		(void)fclose(table);
	return found;
}

static const json_t *find(const json_t *ports, uint64_t port)
{
	json_t *one;
	size_t i;

	json_array_foreach (ports, i, one) {
		if ((uint64_t)json_integer_value(json_object_get(one, "port")) == port)
			return one;
	}
	return NULL;
}

int do_port_wait(struct work *work, struct str *result, struct err *err)
{
	uint64_t port = params_count(work->params, "port", 0), timeout = params_count(work->params, "timeout_ms", TIMEOUT_MS);
	uint64_t interval = params_count(work->params, "interval_ms", INTERVAL_MS), end = now_ms() + timeout;
	struct coffer_session *session = NULL;
	struct coffer_session_view view;
	struct coffer_error error;
	autojson json_t *ports = NULL;
	int r = read_ports(work, &session, &ports, err);

	if (r < 0)
		return r;
	if (!find(ports, port))
		return err_set(err, ERR_NOTFOUND, ENOENT, "port %llu is not published: session.create's ports say which are",
		               (unsigned long long)port);
	if (coffer_session_view_open(session, &view, &error) < 0)
		return work_failed(err, &error);
	if (interval < INTERVAL_LEAST_MS || interval > TIMEOUT_MS)
		interval = INTERVAL_LEAST_MS;
	while (!has_listener(view.root, "proc/1/net/tcp", port) && !has_listener(view.root, "proc/1/net/tcp6", port)) {
		uint64_t now = now_ms();

		if (now >= end)
			return err_set(err, ERR_LIMIT, ETIMEDOUT, "nobody listens at port %llu after %llu ms", (unsigned long long)port,
			               (unsigned long long)timeout);
		(void)poll(NULL, 0, (int)(end - now < interval ? end - now : interval));
	}
	return add_json(result, find(ports, port), err);
}
