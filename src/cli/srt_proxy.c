/*
 * `srt proxy`, and the same under the name of srt-proxy: the egress filter by itself, with a decider of somebody else's. Options, words and statuses are
 * srt's: 2 for what is wrong with the line and for a start that fails, 0 for every end after that.
 */
#include "cli/srt.h"

#include "base/own.h"
#include "base/str.h"
#include "sys/fd.h"
#include "sys/signal.h"
#include "sys/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEM_MAX = 64 << 10, PORT_MAX = 65535 };

static const char version[] = "srt-proxy 0.0.83";
static const char help[] = "Usage: srt-proxy [options]\n"
			   "\n"
			   "Run only the HTTP proxy, deciding every request through an external decider on\n"
			   "inherited fds.\n"
			   "\n"
			   "Options:\n"
			   "  --listen-fd <fd>                   accept connections on this inherited\n"
			   "                                     listening socket\n"
			   "  --listen <host:port>               listen on this loopback address instead\n"
			   "                                     (development); a non-loopback address\n"
			   "                                     needs --listen-any-interface\n"
			   "  --listen-any-interface             let --listen bind a non-loopback address:\n"
			   "                                     the listener is unauthenticated and\n"
			   "                                     reachable from other hosts\n"
			   "  --decider-fd <fd>                  bidirectional decider stream (a socket)\n"
			   "  --decider-in <fd>                  decider -> proxy stream (with\n"
			   "                                     --decider-out)\n"
			   "  --decider-out <fd>                 proxy -> decider stream (with\n"
			   "                                     --decider-in)\n"
			   "  --lifeline-fd <fd>                 shut down when this stream ends\n"
			   "  --ca-fd <fd>                       read the TLS-termination CA (key and\n"
			   "                                     certificate PEM) from this fd\n"
			   "  --strip-response-header <name...>  response headers never passed back\n"
			   "  --plaintext-header-set             let allow verdicts set headers on\n"
			   "                                     plain-HTTP requests (cleartext)\n"
			   "  -d, --debug                        enable debug logging\n"
			   "  --version                          print \"srt-proxy <version>\" and exit;\n"
			   "                                     every other option is ignored\n"
			   "  -h, --help                         display help for command\n";

enum proxy_option {
	LISTEN_FD,
	LISTEN,
	ANY_INTERFACE,
	DECIDER_FD,
	DECIDER_IN,
	DECIDER_OUT,
	LIFELINE_FD,
	CA_FD,
	STRIP,
	PLAINTEXT,
	DEBUG,
	HELP,
	OPTIONS_N
};

static const struct {
	const char *name, *argument;
} options[OPTIONS_N] = {
	[LISTEN_FD] = { "--listen-fd", "<fd>" },
	[LISTEN] = { "--listen", "<host:port>" },
	[ANY_INTERFACE] = { "--listen-any-interface", NULL },
	[DECIDER_FD] = { "--decider-fd", "<fd>" },
	[DECIDER_IN] = { "--decider-in", "<fd>" },
	[DECIDER_OUT] = { "--decider-out", "<fd>" },
	[LIFELINE_FD] = { "--lifeline-fd", "<fd>" },
	[CA_FD] = { "--ca-fd", "<fd>" },
	[STRIP] = { "--strip-response-header", "<name...>" },
	[PLAINTEXT] = { "--plaintext-header-set", NULL },
	[DEBUG] = { "--debug", NULL },
	[HELP] = { "--help", NULL },
};

struct proxy_line {
	struct srt_line *line;
	const char *given[OPTIONS_N]; /* its argument, or "" */
	struct text_vec stripped;
};

/* ---- the line ---- */

static int fail(const char *text)
{
	fprintf(stderr, "srt proxy: %s\n", text);
	return SRT_USAGE;
}

static enum proxy_option find(const char *word)
{
	size_t n = strcspn(word, "=");
	enum proxy_option i = 0;

	if (strcmp(word, "-d") == 0)
		return DEBUG;
	if (strcmp(word, "-h") == 0)
		return HELP;
	while (i < OPTIONS_N && (strlen(options[i].name) != n || strncmp(options[i].name, word, n) != 0))
		i++;
	return i;
}

/* One option and what belongs to it. Returns how many words that is, 0 when it is wrong, with that said. */
static int take(struct proxy_line *proxy, const char *const *argv)
{
	const char *inner = strchr(argv[0], '='), *value;
	enum proxy_option option = find(argv[0]);
	int n = 1;

	if (option == OPTIONS_N || (inner && !options[option].argument)) {
		fprintf(stderr, "error: unknown option '%s'\n", argv[0]);
		return 0;
	}
	value = inner ? inner + 1 : options[option].argument ? argv[n++] : "";
	if (!value) {
		fprintf(stderr, "error: option '%s %s' argument missing\n", options[option].name, options[option].argument);
		return 0;
	}
	proxy->given[option] = value;
	if (option == STRIP)
		srt_add_word(proxy->line, &proxy->stripped, value);
	while (option == STRIP && !inner && argv[n] && argv[n][0] != '-')
		srt_add_word(proxy->line, &proxy->stripped, argv[n++]);
	return n;
}

/* Words that are no options mean nothing. */
static int parse(struct proxy_line *proxy, const char *const *argv)
{
	while (*argv && strcmp(*argv, "--") != 0) {
		int n = argv[0][0] == '-' && argv[0][1] ? take(proxy, argv) : 1;

		if (n == 0)
			return SRT_USAGE;
		argv += n;
	}
	return SRT_GOES_ON;
}

/* The descriptor that an option names; -1: it names none. */
static int fd_of(const struct proxy_line *proxy, enum proxy_option option)
{
	const char *text = proxy->given[option];
	size_t n = text ? strspn(text, "0123456789") : 0;
	unsigned long number = n > 0 && n < 10 ? strtoul(text, NULL, 10) : INT_MAX;

	return number < INT_MAX ? (int)number : -1;
}

/* ---- where to listen ---- */

static bool is_loopback(const char *host)
{
	struct in_addr four;
	struct in6_addr six;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* "[::1]:0" → "::1", 0. False: it is none. */
static bool split(struct srt_line *line, const char *text, const char **ret_host, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':'), *digits = colon ? colon + 1 : "";
	size_t n = colon ? (size_t)(colon - text) : 0;
	bool bracketed = n > 1 && text[0] == '[' && text[n - 1] == ']';
	unsigned long port = strtoul(digits, NULL, 10);

	if (!*digits || digits[strspn(digits, "0123456789")] || strlen(digits) > 9 || port > PORT_MAX)
		return false;
	*ret_host = arena_printf(&line->arena, "%.*s", (int)(n - 2 * bracketed), text + bracketed);
	*ret_port = (uint16_t)port;
	return *ret_host;
}

static const char *quoted(struct srt_line *line, const char *text)
{
	autostr struct str out;

	str_init(&out, 4096);
	str_add_json_text(&out, text);
	return arena_dup(&line->arena, out.failed ? "" : out.text);
}

static int listen_at(const struct proxy_line *proxy, int *ret_fd)
{
	const char *text = proxy->given[LISTEN], *host, *address;
	uint16_t port;

	if (!split(proxy->line, text, &host, &port))
		return fail(arena_printf(&proxy->line->arena, "--listen needs <host:port> with a port from 0 to 65535 (got %s)",
		                         quoted(proxy->line, text)));
	if (!is_loopback(host) && !proxy->given[ANY_INTERFACE])
		return fail(arena_printf(&proxy->line->arena,
		                         "--listen %s is not a loopback address (127.0.0.0/8, [::1] or localhost); pass "
		                         "--listen-any-interface to bind it anyway",
		                         quoted(proxy->line, text)));
	if (!is_loopback(host))
		fprintf(stderr,
		        "srt proxy: warning: --listen-any-interface: the listener on %s is reachable from other hosts and is "
		        "unauthenticated\n",
		        text);
	address = strcasecmp(host, "localhost") == 0 ? "127.0.0.1" : *host ? host : "0.0.0.0";
	*ret_fd = sock_listen(address, port);
	if (*ret_fd < 0)
		return fail(arena_printf(&proxy->line->arena, "--listen %s: %s", quoted(proxy->line, text), strerror(-*ret_fd)));
	return SRT_GOES_ON;
}

static int choose_listener(const struct proxy_line *proxy, int *ret_fd)
{
	*ret_fd = fd_of(proxy, LISTEN_FD);
	if (*ret_fd >= 0)
		return SRT_GOES_ON;
	return proxy->given[LISTEN] ? listen_at(proxy, ret_fd) : fail("--listen-fd (or --listen for development) is required");
}

static void say_serving(const struct proxy_line *proxy, int listener)
{
	struct sockaddr_storage here = { 0 };
	socklen_t n = sizeof(here);
	char address[INET6_ADDRSTRLEN] = "";
	const void *bytes = here.ss_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)&here)->sin6_addr : NULL;

	if (fd_of(proxy, LISTEN_FD) >= 0) {
		fprintf(stderr, "srt proxy: serving fd %d\n", listener);
		return;
	}
	(void)getsockname(listener, (struct sockaddr *)&here, &n);
	bytes = here.ss_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)&here)->sin6_addr
	                                   : (const void *)&((const struct sockaddr_in *)&here)->sin_addr;
	(void)inet_ntop(here.ss_family, bytes, address, sizeof(address));
	fprintf(stderr, "srt proxy: serving %s:%u\n", address, ntohs(((const struct sockaddr_in *)&here)->sin_port));
}

/* ---- serving ---- */

struct serving {
	const struct proxy_line *proxy;
	int listener;
};

static void on_event(void *context, const struct coffer_event *event)
{
	const struct serving *serving = context;
	const struct coffer_connection *c = event->connection;

	if (event->type == COFFER_EVENT_STARTED)
		say_serving(serving->proxy, serving->listener);
	else if (c && serving->proxy->line->debug)
		fprintf(stderr, "[SandboxDebug] [proxy] %s %s:%u%s%s\n", c->verdict, c->host, c->port, c->reason ? ": " : "",
		        c->reason ? c->reason : "");
}

/* Whole: whoever made the pipe closes it behind the last byte. */
static const char *read_authority(const struct proxy_line *proxy, int fd)
{
	char *text = arena_alloc(&proxy->line->arena, PEM_MAX);
	size_t n = 0;
	ssize_t got;

	while (text && n + 1 < PEM_MAX && ((got = read(fd, text + n, PEM_MAX - 1 - n)) > 0 || (got < 0 && errno == EINTR)))
		n += got > 0 ? (size_t)got : 0;
	if (!text || !strstr(text, "PRIVATE KEY-----") || !strstr(text, "BEGIN CERTIFICATE-----"))
		return NULL;
	return text;
}

static int open_stop(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : signal_open(&set);
}

static int run(struct coffer_proxy *wanted)
{
	static const char *const ends[] = {
		[COFFER_PROXY_STOPPED] = "SIGTERM", [COFFER_PROXY_LIFELINE] = "lifeline closed", [COFFER_PROXY_DECIDER] = "decider: "
	};
	struct coffer *coffer;
	struct coffer_error error = { 0 };
	enum coffer_proxy_end end;
	autofd int stop = open_stop();

	wanted->stop = stop;
	if (coffer_new(&coffer, &error) < 0)
		return fail(error.text);
	if (coffer_proxy_run(coffer, wanted, &end, &error) < 0) {
		fprintf(stderr, "srt proxy: %s%s\n", error.errnum == EPIPE ? "decider unavailable: " : "", error.text);
		return SRT_USAGE;
	}
	fprintf(stderr, "srt proxy: stopped (%s%s)\n", ends[end], end == COFFER_PROXY_DECIDER ? error.text : "");
	coffer_free(coffer);
	return 0;
}

/* Nothing of ours is inherited by what is started; what is no descriptor is told before. */
static int check_fds(const struct proxy_line *proxy)
{
	static const enum proxy_option named[] = { LISTEN_FD, DECIDER_FD, DECIDER_IN, DECIDER_OUT, LIFELINE_FD, CA_FD };

	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		int fd = fd_of(proxy, named[i]);

		if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return fail(arena_printf(&proxy->line->arena, "%s %d: %s", options[named[i]].name, fd, strerror(errno)));
	}
	return SRT_GOES_ON;
}

static int serve(const struct proxy_line *proxy)
{
	int both = fd_of(proxy, DECIDER_FD), lifeline = fd_of(proxy, LIFELINE_FD), authority = fd_of(proxy, CA_FD), r;
	struct serving serving = { .proxy = proxy };
	struct coffer_proxy wanted = { .decider_in = both >= 0 ? both : fd_of(proxy, DECIDER_IN),
		                       .decider_out = both >= 0 ? both : fd_of(proxy, DECIDER_OUT),
		                       .lifeline = lifeline,
		                       .extra_roots = getenv("NODE_EXTRA_CA_CERTS"),
		                       .stripped_headers = proxy->stripped.n ? proxy->stripped.at : NULL,
		                       .plaintext_header_set = proxy->given[PLAINTEXT] != NULL,
		                       .on_event = on_event,
		                       .context = &serving };

	if (wanted.decider_in < 0 || wanted.decider_out < 0)
		return fail("a decider is required (--decider-fd, or --decider-in and --decider-out)");
	r = check_fds(proxy);
	if (r == SRT_GOES_ON)
		r = choose_listener(proxy, &serving.listener);
	if (r != SRT_GOES_ON)
		return r;
	wanted.listener = serving.listener;
	wanted.authority = authority >= 0 ? read_authority(proxy, authority) : NULL;
	if (authority >= 0 && !wanted.authority)
		return fail("proxy-only: the CA PEM needs a private key and a certificate");
	return run(&wanted);
}

int srt_proxy_main(struct srt_line *line, const char *const *argv)
{
	struct proxy_line proxy = { .line = line };
	const char *const *word = argv;
	int r;

	while (*word && strcmp(*word, "--version") != 0)
		word++;
	if (*word)
		return puts(version) < 0;
	r = parse(&proxy, argv);
	if (r != SRT_GOES_ON)
		return r;
	if (proxy.given[HELP])
		return fputs(help, stdout) < 0;
	line->debug = proxy.given[DEBUG] != NULL;
	srt_add_word(line, &proxy.stripped, NULL);
	proxy.stripped.n -= proxy.stripped.n > 0;
	return serve(&proxy);
}
