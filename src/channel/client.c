#include "channel/serve.h"

#include "base/json.h"
#include "base/own.h"
#include "base/str.h"
#include "channel/work.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_ROOM = 64 << 10, WRITE_CAREFUL = 4096 /* PIPE_BUF: what poll promises room for */, ANSWER_MAX = 64 << 10 };

bool client_is_full(const struct client *client)
{
	return queue_n(&client->waiting) >= OUT_HIGH;
}

struct job *client_job(struct client *client, uint64_t id)
{
	struct job *job = client->jobs;

	while (job && job->request.id != id)
		job = job->next;
	return job;
}

/* ---- what it is told ---- */

void client_add(struct client *client, const void *line, size_t n)
{
	if (queue_add(&client->waiting, line, n) < 0)
		client->gone = true;
}

static void add(struct client *client, const struct str *line)
{
	if (line->failed)
		client->gone = true;
	else
		client_add(client, line->text, line->len);
}

void client_answer(struct client *client, uint64_t id, const char *members)
{
	autostr struct str line = { 0 };

	str_init(&line, ANSWER_MAX);
	str_printf(&line, "{\"id\":%llu,\"result\":%s}\n", (unsigned long long)id, members);
	add(client, &line);
}

void client_refuse(struct client *client, uint64_t id, const struct err *err)
{
	autostr struct str line = { 0 };

	str_init(&line, ANSWER_MAX);
	str_add(&line, "{\"id\":");
	if (id)
		str_printf(&line, "%llu", (unsigned long long)id);
	else
		str_add(&line, "null");
	str_add(&line, ",\"error\":");
	work_add_error(&line, err);
	str_add(&line, "}\n");
	add(client, &line);
}

void client_greet(struct client *client)
{
	autostr struct str line = { 0 };

	if (fd_look(client->out).kind == FD_PIPE) { /* one that does not block, and is not shared with whoever gave it to us */
		int again = fd_open_again(client->out, O_WRONLY);

		if (again >= 0) {
			own_close(&client->out);
			client->out = again;
		}
	}
	str_init(&line, ANSWER_MAX);
	str_printf(&line, "{\"event\":\"hello\",\"protocol\":\"coffer-channel\",\"version\":1,\"coffer\":\"%s\",\"methods\":[",
	           coffer_version());
	for (size_t i = 0; i < methods_n; i++)
		str_printf(&line, "%s\"%s\"", i ? "," : "", methods[i].name);
	str_printf(&line, "],\"limits\":{\"line_bytes\":%d,\"running\":%d,\"input_bytes\":%d,\"data_bytes\":%d,\"result_bytes\":%d}}\n",
	           REQUEST_LINE_MAX, JOBS_MAX, INPUT_MAX, WORK_DATA_MAX, WORK_RESULT_MAX);
	add(client, &line);
}

/* ---- what it asks ---- */

static int obey(struct serve *serve, struct client *client, struct request *request, uint64_t *told, struct err *err)
{
	if (client_job(client, request->id)) {
		*told = 0;
		return err_set(err, ERR_USAGE, EEXIST, "id %llu is that of a request that runs", (unsigned long long)request->id);
	}
	if (!request->method->work)
		return control_obey(serve, client, request, err);
	if (client->jobs_n >= JOBS_MAX)
		return err_set(err, ERR_BUSY, EAGAIN, "%d requests run already", JOBS_MAX);
	return job_start(serve, client, request, err);
}

static void take_line(struct serve *serve, struct client *client, const char *line, size_t n)
{
	struct request request = { 0 };
	struct err err = { 0 };
	int r = channel_request_read(line, n, &request, &err);
	uint64_t told = request.id;

	if (r == 0)
		r = obey(serve, client, &request, &told, &err);
	else if (client_job(client, told))
		told = 0; /* not to be taken for the end of the one that runs */
	if (r < 0)
		client_refuse(client, told, &err);
	channel_request_done(&request);
}

/* Blank lines are nothing. */
static void take_lines(struct serve *serve, struct client *client)
{
	const char *end;

	while (queue_n(&client->got) && !client_is_full(client) && (end = memchr(queue_front(&client->got), '\n', queue_n(&client->got)))) {
		size_t n = (size_t)(end - queue_front(&client->got));

		if (n > 0 && !client->skips)
			take_line(serve, client, queue_front(&client->got), n);
		client->skips = false;
		queue_drop(&client->got, n + 1);
	}
}

static void skip_long_line(struct client *client)
{
	struct err err = { 0 };

	if (queue_n(&client->got) < REQUEST_LINE_MAX || memchr(queue_front(&client->got), '\n', queue_n(&client->got)))
		return;
	if (!client->skips) {
		(void)err_set(&err, ERR_LIMIT, EMSGSIZE, "a line is longer than %d bytes: it is skipped", REQUEST_LINE_MAX);
		client_refuse(client, 0, &err);
	}
	client->skips = true;
	queue_drop(&client->got, queue_n(&client->got));
}

static void read_some(struct client *client)
{
	char *room = queue_room(&client->got, READ_ROOM);
	ssize_t n = room ? read(client->in, room, READ_ROOM) : 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		queue_grow(&client->got, (size_t)n);
	else
		client->gone = true; /* its end is that of all it wanted */
}

static ssize_t write_once(struct client *client)
{
	size_t n = queue_n(&client->waiting);
	ssize_t done = send(client->out, queue_front(&client->waiting), n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (done >= 0 || errno != ENOTSOCK)
		return done;
	if (!(fcntl(client->out, F_GETFL) & O_NONBLOCK) && n > WRITE_CAREFUL)
		n = WRITE_CAREFUL;
	return write(client->out, queue_front(&client->waiting), n);
}

static void write_some(struct client *client)
{
	ssize_t n = write_once(client);

	if (n > 0)
		queue_drop(&client->waiting, (size_t)n);
	else if (n < 0 && errno != EINTR && errno != EAGAIN)
		client->gone = true;
}

/* ---- its turn ---- */

int client_poll(struct serve *serve, struct client *client)
{
	bool reads = client->out >= 0 && !client_is_full(client);
	int r = 0;

	client->polls = serve->polls_n;
	if (client->out < 0)
		return 0;
	r = serve_poll(serve, client->in, reads ? POLLIN : 0);
	if (r == 0)
		r = serve_poll(serve, client->out, queue_n(&client->waiting) ? POLLOUT : 0);
	for (struct job *job = client->jobs; job && r == 0; job = job->next)
		r = job_poll(serve, job);
	return r;
}

static void turn_jobs(struct serve *serve, struct client *client)
{
	for (struct job **at = &client->jobs; *at;) {
		struct job *job = *at;

		job_turn(serve, job);
		if (!job_is_over(job)) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		client->jobs_n--;
		if (client->large == job)
			client->large = NULL;
		job_free(job);
	}
}

void client_turn(struct serve *serve, struct client *client)
{
	short reads = serve_polled(serve, client->polls), writes = serve_polled(serve, client->polls + 1);
	bool was_full = client_is_full(client);

	turn_jobs(serve, client);
	if (writes)
		write_some(client);
	if (reads)
		read_some(client);
	if (reads || was_full)
		take_lines(serve, client);
	skip_long_line(client);
	if (client->gone)
		client_end(serve, client);
}

/* What may be left half-done dies before its pipes close; what may not is left to finish. */
void client_end(struct serve *serve, struct client *client)
{
	while (client->jobs) {
		struct job *job = client->jobs;

		client->jobs = job->next;
		if (job->request.method->end != FINISHED)
			job_kill(job, SIGKILL);
		job->client = NULL;
		job->next = serve->orphans;
		serve->orphans = job;
		own_close(&job->input);
	}
	if (client->in != client->out)
		own_close(&client->in);
	own_close(&client->out);
	queue_done(&client->got);
	queue_done(&client->waiting);
	*client = (struct client){ .in = -1, .out = -1 };
}
