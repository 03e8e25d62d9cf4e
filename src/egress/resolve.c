/*
 * Theory of operation. getaddrinfo blocks, so a child calls it. The hosts file is read here and not there, for the name is asked with its final
 * dot, which keeps search lists away and which no hosts file has.
 */
#include "egress/lookup.h"
#include "egress/weak.h"

#include "base/own.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

static bool write_record(int out, enum lookup_kind kind, const struct host *address)
{
	struct lookup_record record = { .kind = (unsigned char)kind };

	if (address)
		memcpy(record.address, address->address, sizeof(record.address));
	return fd_write_all(out, &record, sizeof(record)) == 0;
}

static int host_of_socket(const struct sockaddr *address, struct host *ret_host)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (address && address->sa_family == AF_INET) {
		memcpy(&four, address, sizeof(four));
		host_of_address((const unsigned char *)&four.sin_addr, 4, ret_host);
		return 0;
	}
	if (address && address->sa_family == AF_INET6) {
		memcpy(&six, address, sizeof(six));
		host_of_address(six.sin6_addr.s6_addr, HOST_ADDRESS_BYTES, ret_host);
		return 0;
	}
	return -1;
}

static bool write_own(int out)
{
	struct ifaddrs *list = NULL;
	struct host host;

	if (getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		if (host_of_socket(i->ifa_addr, &host) == 0)
			(void)write_record(out, LOOKUP_OWN, &host);
	freeifaddrs(list);
	return true;
}

static void found_in_file(const struct lookup_sink *sink, const struct host *address)
{
	(void)write_record(sink->out, LOOKUP_ANSWER, address);
}

static size_t look_in_file(const struct host *name, int out)
{
	const struct lookup_sink sink = { found_in_file, out };
	autofd int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t found;
	void *text;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return 0;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return 0;
	found = hosts_find(text, (size_t)st.st_size, name, &sink);
	(void)munmap(text, (size_t)st.st_size);
	return found;
}

/* RFC 6761, 6.3: whatever a server says, localhost is here. */
static bool look_for_localhost(const struct host *name, int out)
{
	static const char *const loopback[] = { "127.0.0.1", "[::1]" };
	size_t n = strlen(name->text), last = strlen("localhost");
	struct host address;

	if (n < last || strcmp(name->text + n - last, "localhost") != 0 || (n > last && name->text[n - last - 1] != '.'))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(loopback); i++)
		if (host_parse(loopback[i], strlen(loopback[i]), &address) == 0)
			(void)write_record(out, LOOKUP_ANSWER, &address);
	return true;
}

static void ask_servers(const struct host *name, int out)
{
	const struct addrinfo hints = { .ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char rooted[HOST_TEXT_MAX + 1];
	struct host address;

	snprintf(rooted, sizeof(rooted), "%s%s", name->text, WEAKENED("root") ? "" : ".");
	if (getaddrinfo(rooted, NULL, &hints, &list) != 0)
		return;
	for (const struct addrinfo *i = list; i; i = i->ai_next)
		if (host_of_socket(i->ai_addr, &address) == 0)
			(void)write_record(out, LOOKUP_ANSWER, &address);
	freeaddrinfo(list);
}

void lookup_write(const struct host *host, int out)
{
	if (!write_own(out))
		return;
	if (look_in_file(host, out) == 0 && !look_for_localhost(host, out))
		ask_servers(host, out);
	(void)write_record(out, LOOKUP_END, NULL);
}
