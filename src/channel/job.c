/*
 * Theory of operation. A job is a child and the pipes to it. Its lines are passed on as they are, each in one piece; those of streams are made here, from
 * what comes through the pipes that the engine fills. The last line, the result, is held back until the streams are at their end, which is when the child is: nobody
 * else holds them.
 *
 * A child that is killed between fork and its first deed has done nothing. One that dies without a result is answered for here.
 */
#include "channel/serve.h"

#include "base/own.h"
#include "base/str.h"
#include "channel/params.h"
#include "channel/work.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_ROOM = 64 << 10, EVENT_ROOM = 2 * WORK_DATA_MAX, CHILD_ABOVE = 1 << 10 };
enum { POLLS_LINES, POLLS_OUTPUT, POLLS_ERROR, POLLS_INPUT };
enum { CHILD_LINES = 3, CHILD_INPUT, CHILD_OUTPUT, CHILD_ERROR, CHILD_FDS };

/* What the child gets: its ends. */
struct ends {
	int lines, input, streams[2];
};

/* ---- birth ---- */

static int keep_above(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, CHILD_ABOVE);
}

static int move(int high, int to)
{
	if (high < 0)
		close(to);
	return high < 0 ? -1 : dup3(high, to, O_CLOEXEC) < 0 ? -1 : to;
}

/* No descriptor of the channel's but its own four: else the end of one job's pipe would be another's to close. */
static bool settle(struct ends *ends)
{
	const int high[CHILD_FDS - CHILD_LINES] = { keep_above(ends->lines), keep_above(ends->input), keep_above(ends->streams[0]),
		                                    keep_above(ends->streams[1]) };
	int null = fd_open_null();

	if (null < 0 || high[0] < 0)
		return false;
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			return false;
	ends->lines = move(high[0], CHILD_LINES);
	ends->input = move(high[1], CHILD_INPUT);
	ends->streams[0] = move(high[2], CHILD_OUTPUT);
	ends->streams[1] = move(high[3], CHILD_ERROR);
	fd_close_from(CHILD_FDS);
	return ends->lines >= 0;
}

static _Noreturn void be_child(const struct serve *serve, const struct job *job, struct ends *ends, pid_t parent)
{
	struct work work = { .coffer = serve->coffer, .request = &job->request, .params = job->request.params, .whole = job->whole };
	sigset_t none;

	if (job->request.method->end != FINISHED && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		_exit(1);
	if (!settle(ends))
		_exit(1);
	work.lines = ends->lines;
	work.input = ends->input;
	work.streams[0] = ends->streams[0];
	work.streams[1] = ends->streams[1];
	sigemptyset(&none);
	if (job->request.method->end == ASKED)
		sigaddset(&none, SIGALRM); /* until there is something to cancel */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	work_run(&work);
}

/* *ours is for reading unless it is for input; non-blocking. */
static int make_pipe(int *ours, int *theirs, bool input)
{
	int both[2], r = fd_pipe(both);

	if (r < 0)
		return r;
	*ours = both[input];
	*theirs = both[!input];
	return fd_set_nonblocking(*ours);
}

/* The client's end is the master; raw from the start, for the terminal that counts is the sandbox's. */
static int make_terminal(struct job *job, struct ends *ends)
{
	const json_t *wish = params_get(job->request.params, "terminal");
	const struct winsize size = { .ws_row = (unsigned short)json_integer_value(json_object_get(wish, "rows")),
		                      .ws_col = (unsigned short)json_integer_value(json_object_get(wish, "cols")) };
	int unlocked = 0;

	job->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (job->master < 0 || fd_raise(&job->master) < 0 || ioctl(job->master, TIOCSPTLCK, &unlocked) < 0 ||
	    ioctl(job->master, TIOCSWINSZ, &size) < 0)
		return -errno;
	ends->streams[0] = fd_open_slave(job->master);
	job->streams[0] = fcntl(job->master, F_DUPFD_CLOEXEC, FD_LOWEST);
	job->input = fcntl(job->master, F_DUPFD_CLOEXEC, FD_LOWEST);
	return ends->streams[0] < 0 || job->streams[0] < 0 || job->input < 0 ? -EMFILE : 0;
}

static int make_ends(struct job *job, struct ends *ends)
{
	const json_t *params = job->request.params;
	bool executes = job->request.method->end == ASKED, terminal = executes && params_get(params, "terminal");
	int r = make_pipe(&job->lines, &ends->lines, false);

	if (r == 0 && terminal)
		return make_terminal(job, ends);
	for (int i = 0; i < 2 && r == 0 && executes; i++)
		r = make_pipe(&job->streams[i], &ends->streams[i], false);
	if (r == 0 && params_flag(params, "stream_input", false))
		r = make_pipe(&job->input, &ends->input, true);
	return r;
}

static void close_ends(struct ends *ends)
{
	own_close(&ends->lines);
	own_close(&ends->input);
	own_close(&ends->streams[0]);
	own_close(&ends->streams[1]);
}

/* What is given at once goes in front of what is streamed: exec's here, that of files by the child, which wants it in memory anyway. */
static int give_input(struct job *job)
{
	autostr struct str data = { 0 };

	str_init(&data, REQUEST_LINE_MAX);
	if (job->request.method->end != ASKED || job->input < 0)
		return 0;
	if (params_data(job->request.params, "input", &data) < 0)
		return -ENOMEM;
	return queue_add(&job->pending, data.text, data.len);
}

static struct job *new_job(struct client *client, struct request *request)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	*job = (struct job){ .client = client,
		             .request = *request,
		             .lines = -1,
		             .streams = { -1, -1 },
		             .input = -1,
		             .master = -1,
		             .spills = params_get(request->params, "spill_bytes") };
	job->most = job->spills ? UINT64_MAX : params_count(request->params, "max_output_bytes", UINT64_MAX);
	request->params = NULL;
	job->whole = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job->whole != MAP_FAILED)
		return job;
	job->whole = NULL;
	job_free(job);
	return NULL;
}

int job_start(struct serve *serve, struct client *client, struct request *request, struct err *err)
{
	struct ends ends = { -1, -1, { -1, -1 } };
	pid_t parent = getpid();
	struct job *job = new_job(client, request);
	int r = job ? make_ends(job, &ends) : -ENOMEM;

	if (r == 0)
		r = give_input(job);
	if (r == 0)
		job->pid = process_fork();
	if (r == 0 && job->pid == 0)
		be_child(serve, job, &ends, parent);
	if (r == 0 && job->pid < 0)
		r = -errno;
	close_ends(&ends);
	if (r < 0) {
		if (job)
			job->client = NULL; /* whom its error is told otherwise */
		job_free(job);
		return err_set(err, ERR_LIMIT, -r, "no room for another request: %s", strerror(-r));
	}
	job->next = client->jobs;
	client->jobs = job;
	client->jobs_n++;
	return 0;
}

/* ---- its lines ---- */

static void pass_line(struct job *job, const char *line, size_t n)
{
	if (!job->client)
		return;
	if (*line == WORK_STARTED)
		job->started = true;
	if (*line == WORK_EVENT || *line == WORK_STARTED)
		client_add(job->client, line + 1, n - 1);
	else if (!queue_n(&job->result) && queue_add(&job->result, line, n) < 0)
		job->client->gone = true;
}

static void take_lines(struct job *job)
{
	const char *end;

	while (queue_n(&job->line) && (end = memchr(queue_front(&job->line), '\n', queue_n(&job->line)))) {
		size_t n = (size_t)(end - queue_front(&job->line)) + 1;

		pass_line(job, queue_front(&job->line), n);
		queue_drop(&job->line, n);
	}
	if (job->client && job->client->large == job && queue_n(&job->line) < LINE_SMALL)
		job->client->large = NULL;
}

static void read_lines(struct job *job)
{
	char *room = queue_room(&job->line, READ_ROOM);
	ssize_t n = room ? read(job->lines, room, READ_ROOM) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		own_close(&job->lines);
		return;
	}
	queue_grow(&job->line, (size_t)n);
	take_lines(job);
}

/* ---- its streams ---- */

static void pass_bytes(struct job *job, int i, const char *bytes, size_t n)
{
	autostr struct str line = { 0 };

	str_init(&line, EVENT_ROOM);
	str_printf(&line, "{\"id\":%llu,\"event\":\"%s\",\"data\":\"", (unsigned long long)job->request.id, i ? "stderr" : "stdout");
	str_add_base64(&line, bytes, n);
	str_add(&line, "\"}\n");
	if (line.failed)
		job->client->gone = true;
	else
		client_add(job->client, line.text, line.len);
}

static void read_stream(struct job *job, int i)
{
	static char bytes[WORK_DATA_MAX];
	ssize_t n = read(job->streams[i], bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* EIO of a terminal that nobody has open any more is its end */
		own_close(&job->streams[i]);
		return;
	}

	uint64_t left = job->bytes[i] < job->most ? job->most - job->bytes[i] : 0;
	size_t told = (uint64_t)n < left ? (size_t)n : (size_t)left;

	job->bytes[i] += (uint64_t)n;
	if (told && job->client)
		pass_bytes(job, i, bytes, told);
}

/* ---- its turn ---- */

/* One line at a time may be long. */
static bool may_grow(struct job *job)
{
	struct client *client = job->client;

	if (!client || queue_n(&job->line) < LINE_SMALL)
		return true;
	if (!client->large)
		client->large = job;
	return client->large == job;
}

int job_poll(struct serve *serve, struct job *job)
{
	bool full = job->client && client_is_full(job->client), begun = job->started || job->lines < 0;
	short reads = full ? 0 : POLLIN;
	bool feeds = job->input >= 0 && (queue_n(&job->pending) || job->input_ends) && (job->master < 0 || job->started);
	int r;

	job->polls = serve->polls_n;
	r = serve_poll(serve, job->lines, may_grow(job) ? reads : 0);
	for (int i = 0; i < 2 && r == 0; i++)
		r = serve_poll(serve, job->streams[i], begun || !job->client ? reads : 0);
	return r == 0 ? serve_poll(serve, job->input, feeds ? POLLOUT : 0) : r;
}

void job_turn(struct serve *serve, struct job *job)
{
	if (serve_polled(serve, job->polls + POLLS_LINES) && job->lines >= 0)
		read_lines(job);
	for (int i = 0; i < 2; i++)
		if (serve_polled(serve, job->polls + POLLS_OUTPUT + (size_t)i) && job->streams[i] >= 0)
			read_stream(job, i);
	if (serve_polled(serve, job->polls + POLLS_INPUT) && job->input >= 0)
		control_feed(job);
}

/* ---- its end ---- */

void job_kill(const struct job *job, int number)
{
	if (job->pid > 0)
		(void)kill(job->pid, number);
}

/* A terminal's master does not say that it is at its end when its other side has been opened by nobody. */
void job_reaped(struct job *job, int status)
{
	(void)status;
	job->pid = 0;
}

static void tell_death(const struct job *job)
{
	autostr struct str line = { 0 };
	bool watched = strcmp(job->request.method->name, "file.watch") == 0;

	str_init(&line, EVENT_ROOM);
	str_printf(&line, "{\"id\":%llu,", (unsigned long long)job->request.id);
	if (job->cancelled && watched)
		str_add(&line, "\"result\":{}}\n");
	else if (job->cancelled)
		str_printf(&line, "\"error\":{\"code\":\"busy\",\"errno\":%d,\"where\":\"\",\"text\":\"cancelled\",\"cancelled\":true}}\n",
		           ECANCELED);
	else
		str_add(&line,
		        "\"error\":{\"code\":\"internal\",\"errno\":0,\"where\":\"\",\"text\":\"the process that did this has died\"}}\n");
	client_add(job->client, line.text, line.len);
}

/* What only the channel knows goes between the two last braces; where output is spilled it knows less than its child. */
static void tell_exec_result(const struct job *job, const char *line, size_t n)
{
	autostr struct str out = { 0 };

	str_init(&out, WORK_RESULT_MAX + EVENT_ROOM);
	str_add_n(&out, line, n - 3);
	for (int i = 0; i < 2 && !job->spills; i++)
		str_printf(&out, ",\"%s_bytes\":%llu,\"%s_truncated\":%s", i ? "stderr" : "stdout", (unsigned long long)job->bytes[i],
		           i ? "stderr" : "stdout", job->bytes[i] > job->most ? "true" : "false");
	str_add(&out, "}}\n");
	if (out.failed)
		job->client->gone = true;
	else
		client_add(job->client, out.text, out.len);
}

bool job_is_over(const struct job *job)
{
	return job->pid == 0 && job->lines < 0 && job->streams[0] < 0 && job->streams[1] < 0;
}

static void tell_end(struct job *job)
{
	const char *line = queue_n(&job->result) ? queue_front(&job->result) : "";

	control_refuse_acks(job);
	if (*line == WORK_EXEC_RESULT)
		tell_exec_result(job, line + 1, queue_n(&job->result) - 1);
	else if (*line)
		client_add(job->client, line + 1, queue_n(&job->result) - 1);
	else
		tell_death(job);
}

void job_free(struct job *job)
{
	if (!job)
		return;
	if (job->client && job_is_over(job) && job->whole)
		tell_end(job);
	own_close(&job->lines);
	own_close(&job->streams[0]);
	own_close(&job->streams[1]);
	own_close(&job->input);
	own_close(&job->master);
	queue_done(&job->line);
	queue_done(&job->result);
	queue_done(&job->pending);
	channel_request_done(&job->request);
	if (job->whole)
		(void)munmap(job->whole, sizeof(bool));
	free(job);
}
