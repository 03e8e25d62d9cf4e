/*
 * Hosts and patterns. The first line of the input is a host, the second a pattern. A host that is taken has one form, that form is taken again
 * and is itself, and no resolver takes a name for an address; a pattern fits what it says and nothing above it.
 */
#include "fuzz.h"

#include "policy/address.h"
#include "policy/domain.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_host(const struct host *host)
{
	const struct address_rules none = { 0 };
	char text[HOST_TEXT_MAX + 2];
	struct in_addr address;
	struct host again;

	snprintf(text, sizeof(text), host->kind == HOST_IPV6 ? "[%s]" : "%s", host->text);
	require(host_parse(text, strlen(text), &again) == 0);
	require(host_is_same(host, &again) && strcmp(host->text, again.text) == 0);
	if (host->kind == HOST_NAME)
		require(!inet_aton(host->text, &address));
	else
		(void)address_refusal(&none, host);
}

static void check_pattern(const struct domain_pattern *pattern, const struct host *host)
{
	bool fits = domain_pattern_fits(pattern, host, 80);

	if (fits)
		require(pattern->port == 0 || pattern->port == 80);
	if (fits && pattern->kind == DOMAIN_EXACT)
		require(host_is_same(&pattern->host, host));
	if (fits && pattern->kind == DOMAIN_BELOW)
		require(host->kind == HOST_NAME && strlen(host->text) > strlen(pattern->host.text) + 1);
	if (pattern->kind == DOMAIN_BELOW)
		require(strchr(pattern->host.text, '.') && !domain_pattern_fits(pattern, &pattern->host, pattern->port));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - data) : size;
	struct domain_pattern pattern;
	struct host host;
	bool is_host;

	if (size > 1 << 12)
		return 0;
	is_host = size && host_parse((const char *)data, n, &host) == 0;
	if (is_host)
		check_host(&host);
	if (!end)
		return 0;

	char *text = strndup((const char *)end + 1, size - n - 1);

	for (int deny = 0; text && deny < 2; deny++)
		if (domain_pattern_parse(text, deny, &pattern) == 0) {
			require(deny || pattern.kind != DOMAIN_ANY);
			if (is_host)
				check_pattern(&pattern, &host);
		}
	free(text);
	return 0;
}
