/*
 * COFFER_SRT_DECIDER is ABOUT:TOKEN:PATH, in which ABOUT is a word of network.asks and PATH a Unix socket, where the program listens that has wrapped this command. It hears the
 * token first, a frame of its own, by which it knows whom it talks to: the command might find the socket, but sees neither this variable nor this process.
 */
#include "cli/srt.h"

#include "base/own.h"
#include "base/str.h"
#include "sys/fd.h"
#include "sys/sock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ABOUT_MAX = 16, TOKEN_MAX = 256, LENGTH_BYTES = 4 };

static int decider = -1;

static int fail(struct coffer_error *error, const char *text)
{
	*error = (struct coffer_error){ .code = COFFER_ERROR_USAGE };
	(void)snprintf(error->text, sizeof(error->text), "COFFER_SRT_DECIDER: %s", text);
	return -1;
}

static int dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int done = fd;

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	fd = -1;
	return done;
}

static int introduce(int fd, const char *token, size_t n)
{
	autostr struct str frame;

	str_init(&frame, 4096);
	str_add_n(&frame, "\0\0\0\0{\"t\":\"token\",\"token\":", LENGTH_BYTES + 21);
	str_add_json(&frame, token, n);
	str_add_char(&frame, '}');
	if (frame.failed)
		return -ENOMEM;
	frame.text[2] = (char)((frame.len - LENGTH_BYTES) >> 8);
	frame.text[3] = (char)(frame.len - LENGTH_BYTES);
	return fd_write_all(fd, frame.text, frame.len);
}

int srt_decider_open(struct coffer_policy *policy, struct coffer_error *error)
{
	const char *value = getenv("COFFER_SRT_DECIDER");
	const char *token = value ? strchr(value, ':') : NULL, *path = token ? strchr(token + 1, ':') : NULL;
	char about[ABOUT_MAX];

	if (!value || !*value)
		return 0;
	if (!path || token - value >= ABOUT_MAX || path - token > TOKEN_MAX)
		return fail(error, "not ABOUT:TOKEN:PATH");
	memcpy(about, value, (size_t)(token - value));
	about[token - value] = '\0';
	if (coffer_policy_set_why(policy, "network.asks", about, "COFFER_SRT_DECIDER", error) < 0)
		return -1;
	decider = dial(path + 1);
	if (decider < 0)
		return fail(error, "nobody is there any more to be asked: the command is not run");
	return introduce(decider, token + 1, (size_t)(path - token - 1)) < 0 ? fail(error, strerror(EPIPE)) : 0;
}

int srt_decider_join(struct coffer_request *request, struct coffer_error *error)
{
	return decider < 0 ? 0 : coffer_request_decider(request, decider, decider, error);
}
