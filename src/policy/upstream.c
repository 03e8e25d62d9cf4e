#include "policy/upstream.h"

#include "base/num.h"
#include "base/str.h"
#include "policy/address.h"

#include <errno.h>
#include <string.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443, USER_MAX = 1024, ENTRY_MAX = 300 };

/* ---- the URL ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent signs that stand for no byte stand for themselves. */
static void add_decoded(struct str *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high = i + 2 < n && text[i] == '%' ? hex_value(text[i + 1]) : -1;
		int low = high >= 0 ? hex_value(text[i + 2]) : -1;

		if (low >= 0) {
			str_add_char(out, (char)(high << 4 | low));
			i += 2;
		} else {
			str_add_char(out, text[i]);
		}
	}
}

static int read_user(const char *text, size_t n, struct arena *arena, struct upstream *upstream)
{
	const char *colon = memchr(text, ':', n);
	size_t user = colon ? (size_t)(colon - text) : n;
	autostr struct str plain, coded;

	str_init(&plain, USER_MAX);
	str_init(&coded, 2 * USER_MAX);
	add_decoded(&plain, text, user);
	str_add_char(&plain, ':');
	if (colon)
		add_decoded(&plain, colon + 1, n - user - 1);
	str_add(&coded, "Basic ");
	str_add_base64(&coded, plain.text, plain.len);
	if (plain.failed || coded.failed)
		return -EINVAL;
	upstream->authorization = arena_dup_n(arena, coded.text, coded.len);
	return upstream->authorization ? 0 : -ENOMEM;
}

static int read_port(const char *text, uint16_t *ret_port)
{
	uint64_t port;

	if (num_count(text, &port) < 0 || port < 1 || port > UINT16_MAX)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return 0;
}

/* "host", "host:port", "[v6]:port". */
static int read_authority(const char *text, struct upstream *upstream)
{
	const char *inside = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *colon = strchr(inside ? inside : text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);

	if (host_parse(text, n, &upstream->host) < 0)
		return -EINVAL;
	return colon ? read_port(colon + 1, &upstream->port) : 0;
}

static bool begins(const char *text, const char *scheme)
{
	return strncasecmp(text, scheme, strlen(scheme)) == 0;
}

int upstream_parse(const char *url, struct arena *arena, struct upstream *ret_upstream)
{
	bool tls = begins(url, "https://");
	struct upstream upstream = { .port = tls ? PORT_HTTPS : PORT_HTTP, .tls = tls };
	const char *rest = tls ? url + 8 : begins(url, "http://") ? url + 7 : url, *at, *text;
	size_t n = strcspn(rest, "/?#");
	int r = 0;

	if (strstr(rest, "://") || rest[n + (rest[n] == '/')]) /* a path means nothing to a proxy */
		return -EINVAL;
	text = arena_dup_n(arena, rest, n);
	if (!text)
		return -ENOMEM;
	at = strrchr(text, '@');
	if (at)
		r = read_user(text, (size_t)(at - text), arena, &upstream);
	if (r == 0)
		r = read_authority(at ? at + 1 : text, &upstream);
	if (r == 0)
		*ret_upstream = upstream;
	return r;
}

/* ---- the list ---- */

/* Nothing is left of "*." or "." in front and of a port behind. Brackets go, for a range has none. */
static void trim_entry(char *entry)
{
	char *inside = entry[0] == '[' ? strchr(entry, ']') : NULL;
	char *colon = strrchr(entry, ':');

	if (inside) {
		*inside = '\0';
		memmove(entry, entry + 1, strlen(entry));
		return;
	}
	if (colon && strchr(entry, ':') == colon)
		*colon = '\0';
	if (strncmp(entry, "*.", 2) == 0)
		memmove(entry, entry + 1, strlen(entry));
	if (entry[0] == '.')
		memmove(entry, entry + 1, strlen(entry));
}

static bool is_at_or_below(const char *name, const char *top)
{
	size_t n = strlen(name), m = strlen(top);

	if (m == 0 || n < m || strcasecmp(name + n - m, top) != 0)
		return false;
	return n == m || name[n - m - 1] == '.';
}

static bool entry_names(char *entry, const struct host *host)
{
	struct address_range range;

	if (strcmp(entry, "*") == 0)
		return true;
	if (!strchr(entry, '/'))
		trim_entry(entry);
	if (address_range_parse(entry, &range) == 0)
		return address_is_in(host, &range);
	return host->kind == HOST_NAME && is_at_or_below(host->text, entry);
}

static bool is_this_machine(const struct host *host)
{
	static const char *const own[] = { "127.0.0.0/8", "::1" };
	struct address_range range;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (address_range_parse(own[i], &range) == 0 && address_is_in(host, &range))
			return true;
	return host->kind == HOST_NAME && strcmp(host->text, "localhost") == 0;
}

bool upstream_is_bypassed(const char *no_proxy, const struct host *host)
{
	if (is_this_machine(host))
		return true;
	while (no_proxy && *no_proxy) {
		size_t n = strcspn(no_proxy, ","), lead = strspn(no_proxy, " \t");
		char entry[ENTRY_MAX];

		if (lead < n && n - lead < sizeof(entry)) {
			memcpy(entry, no_proxy + lead, n - lead);
			entry[n - lead] = '\0';
			entry[strcspn(entry, " \t")] = '\0';
			if (entry_names(entry, host))
				return true;
		}
		no_proxy += n + (no_proxy[n] == ',');
	}
	return false;
}
