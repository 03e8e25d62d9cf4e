/* What the channel does itself: words about requests that run. */
#include "channel/serve.h"

#include "base/own.h"
#include "base/str.h"
#include "channel/params.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CHANNEL_VERSION = 1, END_OF_INPUT = 4 /* ^D */ };

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "INT", SIGINT }, { "TERM", SIGTERM }, { "HUP", SIGHUP }, { "QUIT", SIGQUIT }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
};

static int no_such(const json_t *params, const char *what, struct err *err)
{
	int r = err_set(err, ERR_NOTFOUND, ESRCH, "request %llu %s", (unsigned long long)params_count(params, "id", 0), what);

	err_at(err, "id");
	return r;
}

/* ---- input ---- */

static void answer_acks(struct job *job)
{
	size_t n = 0;

	while (n < job->acks_n && job->acks[n].at <= job->taken)
		client_answer(job->client, job->acks[n++].id, "{}");
	job->acks_n -= n;
	memmove(job->acks, job->acks + n, job->acks_n * sizeof(*job->acks));
}

void control_refuse_acks(struct job *job)
{
	struct err err = { 0 };

	(void)err_set(&err, ERR_NOTFOUND, EPIPE, "request %llu takes no more input", (unsigned long long)job->request.id);
	for (size_t i = 0; i < job->acks_n && job->client; i++)
		client_refuse(job->client, job->acks[i].id, &err);
	job->acks_n = 0;
}

/* All that is to come has gone: a pipe is closed, a terminal has its key. */
static void end_input(struct job *job)
{
	static const char key = END_OF_INPUT;

	if (job->master >= 0)
		(void)!write(job->input, &key, 1);
	*job->whole = true;
	own_close(&job->input);
}

void control_feed(struct job *job)
{
	ssize_t n = queue_n(&job->pending) ? write(job->input, queue_front(&job->pending), queue_n(&job->pending)) : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		own_close(&job->input);
		queue_done(&job->pending);
		control_refuse_acks(job);
		return;
	}
	if (n > 0) {
		queue_drop(&job->pending, (size_t)n);
		job->taken += (uint64_t)n;
	}
	answer_acks(job);
	if (job->input_ends && !queue_n(&job->pending))
		end_input(job);
}

static int take_input(struct client *client, const struct request *request, struct err *err)
{
	struct job *job = client_job(client, params_count(request->params, "id", 0));
	autostr struct str data = { 0 };

	str_init(&data, REQUEST_LINE_MAX);
	if (!job || job->input < 0 || job->input_ends)
		return no_such(request->params, job ? "takes no more input" : "does not run", err);
	if (params_data(request->params, "data", &data) < 0)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for input");
	if (job->acks_n == ACKS_MAX || queue_n(&job->pending) + data.len > INPUT_MAX)
		return err_set(err, ERR_LIMIT, EAGAIN, "more than %d bytes, or %d pieces, wait for request %llu: await their answers",
		               INPUT_MAX, ACKS_MAX, (unsigned long long)job->request.id);
	if (queue_add(&job->pending, data.text, data.len) < 0)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for input");
	job->acks[job->acks_n++] = (struct ack){ .id = request->id, .at = job->taken + queue_n(&job->pending) };
	job->input_ends = params_flag(request->params, "end", false);
	if (job->master < 0 || job->started)
		control_feed(job);
	return 0;
}

/* ---- the rest ---- */

static int cancel(struct client *client, const struct request *request)
{
	struct job *job = client_job(client, params_count(request->params, "id", 0));
	bool can = job && job->request.method->end != FINISHED && job->pid > 0;

	if (can) {
		job->cancelled = true;
		job_kill(job, job->request.method->end == ASKED ? SIGALRM : SIGKILL);
	}
	client_answer(client, request->id, can ? "{\"found\":true}" : "{\"found\":false}");
	return 0;
}

static int resize(struct client *client, const struct request *request, struct err *err)
{
	struct job *job = client_job(client, params_count(request->params, "id", 0));
	const struct winsize size = { .ws_row = (unsigned short)params_count(request->params, "rows", 0),
		                      .ws_col = (unsigned short)params_count(request->params, "cols", 0) };

	if (!job || job->master < 0)
		return no_such(request->params, job ? "has no terminal" : "does not run", err);
	(void)ioctl(job->master, TIOCSWINSZ, &size);
	job_kill(job, SIGWINCH);
	client_answer(client, request->id, "{}");
	return 0;
}

static int send_signal(struct client *client, const struct request *request, struct err *err)
{
	struct job *job = client_job(client, params_count(request->params, "id", 0));
	const char *name = params_text(request->params, "signal");
	int r;

	if (!job || strcmp(job->request.method->name, "exec") != 0)
		return no_such(request->params, job ? "is no exec" : "does not run", err);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		if (strcmp(signals[i].name, name) == 0) {
			job_kill(job, signals[i].number);
			client_answer(client, request->id, "{}");
			return 0;
		}
	}
	r = err_set(err, ERR_USAGE, EINVAL, "signal: one of INT, TERM, HUP, QUIT, USR1 and USR2, not \"%s\"", name);
	err_at(err, "signal");
	return r;
}

static int greet(struct client *client, const struct request *request, struct err *err)
{
	uint64_t version = params_count(request->params, "version", 0);

	if (version != CHANNEL_VERSION)
		return err_set(err, ERR_UNSUPPORTED, EPROTO, "this channel speaks version %d, not %llu", CHANNEL_VERSION,
		               (unsigned long long)version);
	client_answer(client, request->id, "{\"version\":1}");
	return 0;
}

int control_obey(struct serve *serve, struct client *client, const struct request *request, struct err *err)
{
	const char *name = request->method->name;

	(void)serve;
	if (strcmp(name, "exec.input") == 0 || strcmp(name, "file.input") == 0)
		return take_input(client, request, err);
	if (strcmp(name, "exec.resize") == 0)
		return resize(client, request, err);
	if (strcmp(name, "exec.signal") == 0)
		return send_signal(client, request, err);
	if (strcmp(name, "cancel") == 0)
		return cancel(client, request);
	if (strcmp(name, "hello") == 0)
		return greet(client, request, err);
	client_answer(client, request->id, "{}");
	return 0;
}
