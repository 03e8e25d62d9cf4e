/*
 * spawn.c: what starting a program costs, for several ways of starting it, interleaved.
 *
 *   spawn rounds N NAME CMD… ';' NAME CMD… ';' …
 *       each round starts every peer once, in a new random order, and times posix_spawn to wait4;
 *       prints "NAME median_us p10_us p90_us" a line.
 *   spawn rate SECONDS LAUNCHERS NAME CMD… ';' …
 *       LAUNCHERS processes start the peer as often as they can; prints "NAME starts_per_second" a line.
 *
 * A command whose first word is "@coffer" is run by coffer_run() of libcoffer in this process, the rest being its argv,
 * under the built-in default policy; with "@session" as its first word, in the session that the second one names. Standard streams are /dev/null.
 */
#include <coffer.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PEERS_MAX = 32, WARM_UP = 5 };

struct peer {
	const char *name;
	char **argv;
	uint64_t *ns;
};

static struct peer peers[PEERS_MAX];
static int peer_count;
static posix_spawn_file_actions_t to_null;
static struct coffer *coffer;
static struct coffer_policy *policy;
static struct coffer_session *session;

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "spawn: %s\n", what);
	exit(2);
}

static void run_by_library(const char *session_name, char **argv)
{
	struct coffer_error error;
	struct coffer_request *request = NULL;
	struct coffer_outcome *outcome = NULL;
	int r = coffer ? 0 : coffer_new(&coffer, &error);
	if (r == 0 && !policy)
		r = coffer_policy_new(&policy, &error);
	if (r == 0 && session_name && !session)
		r = coffer_session_open(coffer, session_name, &session, &error);
	if (r == 0 && session_name)
		r = coffer_session_request(session, (const char *const *)argv, &request, &error);
	else if (r == 0)
		r = coffer_request_new(coffer, policy, (const char *const *)argv, &request, &error);
	if (r == 0)
		r = coffer_run(request, &outcome, &error);
	if (r < 0)
		fail(error.text);
	if (coffer_outcome_exit_code(outcome) != 0)
		fail("the command failed in coffer_run");
	coffer_outcome_free(outcome);
	coffer_request_free(request);
}

static void start_and_wait(const struct peer *peer)
{
	pid_t pid;
	int status;
	if (!strcmp(peer->argv[0], "@coffer")) {
		run_by_library(NULL, peer->argv + 1);
		return;
	}
	if (!strcmp(peer->argv[0], "@session")) {
		run_by_library(peer->argv[1], peer->argv + 2);
		return;
	}
	if (posix_spawnp(&pid, peer->argv[0], &to_null, NULL, peer->argv, environ))
		fail(peer->name);
	while (waitpid(pid, &status, 0) < 0)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail(peer->name);
}

static void read_peers(char **argv)
{
	while (*argv && peer_count < PEERS_MAX) {
		struct peer *peer = &peers[peer_count++];
		peer->name = *argv++;
		peer->argv = argv;
		while (*argv && strcmp(*argv, ";"))
			argv++;
		if (!*argv)
			fail("a command must end in ;");
		*argv++ = NULL;
	}
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static void shuffle(int *order, int n)
{
	for (int i = n - 1; i > 0; i--) {
		int j = (int)(random() % (i + 1)), keep = order[i];
		order[i] = order[j];
		order[j] = keep;
	}
}

static void measure_rounds(int rounds)
{
	int order[PEERS_MAX];
	for (int i = 0; i < peer_count; i++) {
		order[i] = i;
		peers[i].ns = calloc((size_t)rounds, sizeof(uint64_t));
	}
	for (int round = -WARM_UP; round < rounds; round++) {
		shuffle(order, peer_count);
		for (int i = 0; i < peer_count; i++) {
			uint64_t from = now_ns();
			start_and_wait(&peers[order[i]]);
			if (round >= 0)
				peers[order[i]].ns[round] = now_ns() - from;
		}
	}
	for (int i = 0; i < peer_count; i++) {
		uint64_t *ns = peers[i].ns;
		qsort(ns, (size_t)rounds, sizeof(*ns), by_value);
		printf("%s %.1f %.1f %.1f\n", peers[i].name, (double)ns[rounds / 2] / 1e3, (double)ns[rounds / 10] / 1e3,
		       (double)ns[rounds * 9 / 10] / 1e3);
	}
}

static int count_starts(const struct peer *peer, uint64_t until)
{
	int n = 0;
	for (; now_ns() < until; n++)
		start_and_wait(peer);
	return n;
}

static void measure_rate(double seconds, int launchers)
{
	for (int p = 0; p < peer_count; p++) {
		int pipe_fd[2], total = 0, n;
		if (pipe(pipe_fd))
			fail("pipe");
		uint64_t until = now_ns() + (uint64_t)(seconds * 1e9);
		for (int i = 0; i < launchers; i++)
			if (fork() == 0) {
				n = count_starts(&peers[p], until);
				_exit(write(pipe_fd[1], &n, sizeof(n)) != sizeof(n));
			}
		for (int i = 0; i < launchers; i++)
			if (read(pipe_fd[0], &n, sizeof(n)) == sizeof(n))
				total += n;
		while (wait(NULL) > 0)
			;
		close(pipe_fd[0]);
		close(pipe_fd[1]);
		printf("%s %.0f\n", peers[p].name, total / seconds);
	}
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_init(&to_null);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&to_null, fd, "/dev/null", O_RDWR, 0);
	srandom(1);
	if (argc > 4 && !strcmp(argv[1], "rounds")) {
		read_peers(argv + 3);
		measure_rounds((int)strtol(argv[2], NULL, 10));
		return 0;
	}
	if (argc > 5 && !strcmp(argv[1], "rate")) {
		read_peers(argv + 4);
		measure_rate(strtod(argv[2], NULL), (int)strtol(argv[3], NULL, 10));
		return 0;
	}
	fail("usage: spawn rounds N … | spawn rate SECONDS LAUNCHERS …");
}
