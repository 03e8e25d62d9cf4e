/*
 * tunnels.c: tunnels N ADDRESS PORT GOAL: opens N tunnels to GOAL, one after the other, through the HTTP proxy at ADDRESS and PORT, and
 * prints the median time from connect() until CONNECT is answered with 200, in µs. Each is closed before the next begins.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP = 20 };

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "tunnels: %s\n", what);
	exit(2);
}

static void expect_200(int fd)
{
	char answer[1024];
	size_t n = 0;
	while (n < 4 || memcmp(answer + n - 4, "\r\n\r\n", 4)) {
		ssize_t got = recv(fd, answer + n, sizeof(answer) - n, 0);
		if (got <= 0)
			fail("no answer");
		n += (size_t)got;
	}
	if (strncmp(answer, "HTTP/1.", 7) || strncmp(answer + 8, " 200", 4))
		fail("not granted");
}

static uint64_t open_one(const struct sockaddr_in *proxy, const char *request)
{
	static const int on = 1;
	uint64_t from = now_ns(), took;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)proxy, sizeof(*proxy)))
		fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		fail("send");
	expect_200(fd);
	took = now_ns() - from;
	close(fd);
	return took;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
	struct sockaddr_in proxy = { .sin_family = AF_INET };
	char request[512];
	int count = argc == 5 ? (int)strtol(argv[1], NULL, 10) : 0;
	if (count <= 0 || inet_pton(AF_INET, argv[2], &proxy.sin_addr) != 1)
		fail("usage: tunnels N ADDRESS PORT GOAL");
	proxy.sin_port = htons((uint16_t)strtol(argv[3], NULL, 10));
	snprintf(request, sizeof(request), "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", argv[4], argv[4]);
	uint64_t *ns = calloc((size_t)count, sizeof(*ns));
	if (!ns)
		fail("no memory");
	for (int i = -WARM_UP; i < count; i++) {
		uint64_t took = open_one(&proxy, request);
		if (i >= 0)
			ns[i] = took;
	}
	qsort(ns, (size_t)count, sizeof(*ns), by_value);
	printf("%.1f\n", (double)ns[count / 2] / 1e3);
	free(ns);
	return 0;
}
