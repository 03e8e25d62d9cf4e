#include "api/api.h"

#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int copy_argv(struct coffer_request *request, const char *const *argv)
{
	size_t n = 0;
	while (argv[n])
		n++;
	const char **copy = arena_array(&request->arena, n + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		copy[i] = arena_dup(&request->arena, argv[i]);
		if (!copy[i])
			return -ENOMEM;
	}
	request->argv = copy;
	return 0;
}

static int make(struct coffer *coffer, const char *const *argv, struct coffer_request **ret_request, struct coffer_error *error)
{
	struct coffer_request *request = calloc(1, sizeof(*request));
	if (!request)
		return api_no_memory(error);
	*request = (struct coffer_request){ .coffer = coffer,
		                            .streams = { -1, -1, -1 },
		                            .input_fd = -1,
		                            .control_fd = -1,
		                            .rules = { -1, -1 },
		                            .cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	arena_init(&request->arena, API_ARENA_MAX);
	int r = copy_argv(request, argv);
	if (r == 0)
		r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, request->rules);
	if (r < 0 || request->cancel_fd < 0) {
		coffer_request_free(request);
		return api_no_memory(error);
	}
	*ret_request = request;
	return 0;
}

int coffer_request_new(struct coffer *coffer, const struct coffer_policy *policy, const char *const *argv,
                       struct coffer_request **ret_request, struct coffer_error *error)
{
	struct err err = { 0 };
	if (!coffer || !policy || !argv || !argv[0] || !*argv[0])
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "a request needs a context, a policy and a command"), &err, error);
	int r = make(coffer, argv, ret_request, error);
	if (r == 0)
		(*ret_request)->policy = policy;
	return r;
}

int coffer_session_request(struct coffer_session *session, const char *const *argv, struct coffer_request **ret_request,
                           struct coffer_error *error)
{
	struct err err = { 0 };
	struct coffer_request *request = NULL;
	if (!session || !argv || !argv[0] || !*argv[0])
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "a request needs a session and a command"), &err, error);
	int r = make(session->coffer, argv, &request, error);
	if (r < 0)
		return r;
	request->session = arena_dup(&request->arena, session->name);
	if (!request->session) {
		coffer_request_free(request);
		return api_no_memory(error);
	}
	*ret_request = request;
	return 0;
}

void coffer_request_try(struct coffer_request *request)
{
	request->tries = true;
}

void coffer_request_limits(struct coffer_request *request, uint64_t timeout_ms, uint64_t output_bytes)
{
	request->timeout_ms = timeout_ms;
	request->output_bytes = output_bytes;
}

void coffer_request_spill(struct coffer_request *request, uint64_t most, uint64_t file_bytes, int marks)
{
	request->spill = (struct spills_want){ .most = most, .file_bytes = file_bytes, .marks = marks != 0 };
}

void coffer_request_background(struct coffer_request *request)
{
	request->background = true;
}

void coffer_request_free(struct coffer_request *request)
{
	if (!request)
		return;
	own_close(&request->input_fd);
	own_close(&request->cancel_fd);
	own_close(&request->rules[0]);
	own_close(&request->rules[1]);
	arena_done(&request->arena);
	free(request);
}

void coffer_request_environment(struct coffer_request *request, const char *const *environment)
{
	request->environment = environment;
}

int coffer_request_directory(struct coffer_request *request, const char *path, struct coffer_error *error)
{
	const char *copy = arena_dup(&request->arena, path);
	if (!copy)
		return api_no_memory(error);
	request->cwd = copy;
	return 0;
}

void coffer_request_streams(struct coffer_request *request, int input, int output, int errors)
{
	own_close(&request->input_fd);
	request->input_fd = -1;
	request->streams[0] = input;
	request->streams[1] = output;
	request->streams[2] = errors;
}

static int fill(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, bytes, n);
		if (done < 0)
			return -errno;
		bytes += done;
		n -= (size_t)done;
	}
	return 0;
}

int coffer_request_input(struct coffer_request *request, const void *bytes, size_t n, struct coffer_error *error)
{
	struct err err = { 0 };
	autofd int fd = memfd_create("coffer-input", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : fill(fd, bytes, n);
	if (r < 0)
		return api_fail(err_set(&err, ERR_LIMIT, -r, "no memory file for the input: %s", strerror(-r)), &err, error);
	own_close(&request->input_fd);
	request->input_fd = TAKE_FD(fd);
	return 0;
}

void coffer_request_terminal(struct coffer_request *request, unsigned streams)
{
	request->terminal = streams;
}

int coffer_request_forward(struct coffer_request *request, const int *signals, size_t n, struct coffer_error *error)
{
	struct err err = { 0 };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		if (sigaddset(&set, signals[i]) < 0)
			return api_fail(err_set(&err, ERR_USAGE, EINVAL, "%d is no signal", signals[i]), &err, error);
	request->forward = set;
	request->forwards = n > 0;
	return 0;
}

void coffer_request_events(struct coffer_request *request, coffer_event_function *on_event, void *context)
{
	request->on_event = on_event;
	request->context = context;
}

void coffer_request_control(struct coffer_request *request, int fd)
{
	request->control_fd = fd;
}

void coffer_cancel(struct coffer_request *request)
{
	static const uint64_t once = 1;
	int saved = errno; /* a signal handler must leave it alone */
	ssize_t done = write(request->cancel_fd, &once, sizeof(once));
	(void)done; /* EAGAIN: cancelled many times over already */
	errno = saved;
}
