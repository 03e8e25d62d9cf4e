#include "policy/domain.h"

#include "base/num.h"

#include <string.h>

enum { HOST_MAX = 253, LABEL_MAX = 63 };

struct host {
	const char *at, *end;
};

static bool is_label_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Labels between dots; how many there are, or 0 when one is empty, too long or has other bytes. */
static unsigned count_labels(struct host host)
{
	unsigned labels = 0;
	const char *p = host.at;

	if (host.end - host.at > HOST_MAX)
		return 0;
	for (;;) {
		const char *start = p;

		while (p < host.end && is_label_byte(*p))
			p++;
		if (p == start || p - start > LABEL_MAX || (p < host.end && *p != '.'))
			return 0;
		labels++;
		if (p++ == host.end)
			return labels;
	}
}

static bool is_port(const char *text)
{
	uint64_t port;

	return text[0] != '0' && num_count(text, &port) == 0 && port <= 65535;
}

static bool is_bracketed(struct host host)
{
	for (const char *p = host.at + 1; p < host.end - 1; p++)
		if (!strchr("0123456789abcdefABCDEF:.", *p))
			return false;
	return host.end - host.at > 3 && host.end[-1] == ']';
}

static bool is_host(struct host host)
{
	if (host.at == host.end)
		return false;
	if (*host.at == '[')
		return is_bracketed(host);
	if (host.end - host.at > 2 && host.at[0] == '*' && host.at[1] == '.')
		return count_labels((struct host){ host.at + 2, host.end }) >= 2;
	if (host.end - host.at == 9 && memcmp(host.at, "localhost", 9) == 0)
		return true;
	return count_labels(host) >= 2;
}

bool domain_pattern_is_valid(const char *text, bool deny)
{
	const char *inside = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *colon = strchr(inside ? inside : text, ':');
	struct host host = { text, colon ? colon : text + strlen(text) };

	if (colon && !is_port(colon + 1))
		return false;
	if (deny && host.end - host.at == 1 && *host.at == '*')
		return true;
	return is_host(host);
}
