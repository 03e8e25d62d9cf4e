/* serve.h: the channel while it serves: clients, and the jobs that their requests have become. Private to src/channel. */
#ifndef COFFER_CHANNEL_SERVE_H
#define COFFER_CHANNEL_SERVE_H

#include "channel/queue.h"
#include "channel/request.h"

#include <coffer.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
	CLIENTS_MAX = 64,
	JOBS_MAX = 128,         /* of one client */
	OUT_HIGH = 1 << 20,     /* bytes that wait for a client before nothing more is made for it */
	INPUT_MAX = 1 << 20,    /* bytes that wait for a job */
	LINE_SMALL = 128 << 10, /* of a job's line that is not whole yet, before only one of a client's jobs may go on */
};

/* Input that is on its way, and the request that is answered when it has been taken. */
struct ack {
	uint64_t id, at; /* at: of the job's input, all bytes in front of which are to be gone */
};
enum { ACKS_MAX = 64 };

struct client;
struct job {
	struct client *client;
	struct job *next;
	struct request request;
	pid_t pid; /* 0: it has been reaped */
	int lines, streams[2], input, master;
	bool *whole;
	struct queue line, result, pending;
	struct ack acks[ACKS_MAX];
	size_t acks_n;
	uint64_t taken; /* bytes of input that have gone */
	bool input_ends, started, cancelled;
	bool spills;             /* its child counts what it writes */
	uint64_t bytes[2], most; /* of the streams; most: that is told */
	size_t polls;            /* its first place among those polled */
};

struct client {
	int in, out; /* in -1: nothing more comes; out -1: the place is free */
	struct queue got, waiting;
	bool skips; /* the rest of a line that is too long */
	bool gone;  /* it cannot be written to, or it has said all: it ends */
	struct job *jobs;
	size_t jobs_n;
	struct job *large; /* whose line grows beyond LINE_SMALL */
	size_t polls;
};

struct serve {
	struct coffer *coffer;
	int listener, signals;
	struct client clients[CLIENTS_MAX];
	struct pollfd *polls;
	size_t polls_n, polls_room;
	struct job *orphans; /* whose client is gone, and that are left to finish */
	bool ends;
};

/* Adds a place to what is waited for; -1 for fd keeps it empty. -ENOMEM. */
int serve_poll(struct serve *serve, int fd, short events);
short serve_polled(const struct serve *serve, size_t place);

/* ---- clients (client.c) ---- */

void client_greet(struct client *client);
int client_poll(struct serve *serve, struct client *client);
/* Reads and writes what can be. */
void client_turn(struct serve *serve, struct client *client);
void client_end(struct serve *serve, struct client *client);
/* Adds a line. A client for whom there is no memory is gone. */
void client_add(struct client *client, const void *line, size_t n);
/* An answer: members is a JSON object. */
void client_answer(struct client *client, uint64_t id, const char *members);
/* id 0 is null. */
void client_refuse(struct client *client, uint64_t id, const struct err *err);
/* Has it so much waiting that nothing more should be made for it? */
bool client_is_full(const struct client *client);
struct job *client_job(struct client *client, uint64_t id);

/* ---- jobs (job.c) ---- */

/* Takes the request over, whatever happens. */
int job_start(struct serve *serve, struct client *client, struct request *request, struct err *err);
int job_poll(struct serve *serve, struct job *job);
void job_turn(struct serve *serve, struct job *job);
/* Is all said? Then job_free. */
bool job_is_over(const struct job *job);
void job_free(struct job *job);
/* Its process has ended. */
void job_reaped(struct job *job, int status);
void job_kill(const struct job *job, int number);

/* ---- what the channel does itself (control.c) ---- */

int control_obey(struct serve *serve, struct client *client, const struct request *request, struct err *err);
/* Moves input on. */
void control_feed(struct job *job);
/* Those who wait for input to be taken, by a job that takes no more. */
void control_refuse_acks(struct job *job);

#endif
