/* --control-fd as srt has it: a settings document a line. The words are srt's. */
#include "cli/control.h"
#include "cli/srt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

static struct srt_control {
	const struct srt_line *line;
	struct control control;
	int fd;
} state;

static int new_policy(void *context, struct coffer_policy **ret_policy, struct coffer_error *error)
{
	(void)context;
	return coffer_policy_new_srt(ret_policy, error);
}

static void say_refused(void *context, const struct coffer_policy *policy, const struct coffer_error *error)
{
	const struct srt_control *srt = context;

	(void)policy;
	fprintf(stderr, "Invalid config on control fd %d: ignored, previous config still in force\n", srt->fd);
	srt_debug(srt->line, "Invalid config on control fd: ", error->text);
}

static void on_event(void *context, const struct coffer_event *event)
{
	struct srt_control *srt = context;

	if (event->type == COFFER_EVENT_CONTROL)
		control_take(&srt->control, event->bytes, event->len);
}

/* Nothing is read; a descriptor that is not open, or only for writing, is EBADF all the same. */
static int check_readable(int fd)
{
	static char none[1];
	const struct iovec nothing = { none, 0 };

	return readv(fd, &nothing, 1) < 0 ? -errno : 0;
}

int srt_control_open(const struct srt_line *line)
{
	unsigned long number = strtoul(line->control, NULL, 10);
	int fd = number < INT_MAX ? (int)number : -1, r = fd < 0 ? -EBADF : check_readable(fd);

	if (r == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		r = -errno;
	if (r < 0) {
		fprintf(stderr,
		        "Error: --control-fd %s is not usable: %s. Refusing to run the command without the control channel it asks for.\n",
		        line->control, r == -EBADF ? "EBADF: bad file descriptor, read" : strerror(-r));
		return SRT_FAILED;
	}
	state.line = line;
	state.fd = fd;
	return SRT_GOES_ON;
}

void srt_control_join(struct coffer_request *request)
{
	if (!state.line)
		return;
	state.control = (struct control){ .request = request, .new_policy = new_policy, .refused = say_refused, .context = &state };
	control_init(&state.control);
	coffer_request_control(request, state.fd);
	coffer_request_events(request, on_event, &state);
}
