/*
 * threads.c: many runs at once from one process. The context and the policy are shared; each thread has a request of its own.
 */
#include <coffer.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, RUNS_EACH = 25 };

struct worker {
	pthread_t thread;
	struct coffer *coffer;
	const struct coffer_policy *policy;
	unsigned good;
	struct coffer_error error;
};

static int run_once(struct worker *worker)
{
	static const char *const argv[] = { "true", NULL };
	struct coffer_request *request = NULL;
	struct coffer_outcome *outcome = NULL;
	int r = coffer_request_new(worker->coffer, worker->policy, argv, &request, &worker->error);
	if (r == 0)
		r = coffer_run(request, &outcome, &worker->error);
	if (r == 0 && coffer_outcome_exit_code(outcome) == 0)
		worker->good++;
	coffer_outcome_free(outcome);
	coffer_request_free(request);
	return r;
}

static void *work(void *context)
{
	struct worker *worker = context;
	for (int i = 0; i < RUNS_EACH; i++)
		if (run_once(worker) < 0)
			break;
	return NULL;
}

static int run_all(struct coffer *coffer, const struct coffer_policy *policy)
{
	struct worker workers[THREADS] = { 0 };
	unsigned started = 0, good = 0;
	for (; started < THREADS; started++) {
		workers[started].coffer = coffer;
		workers[started].policy = policy;
		if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0)
			break;
	}
	for (unsigned i = 0; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		good += workers[i].good;
		if (workers[i].error.code != COFFER_ERROR_NONE)
			fprintf(stderr, "threads: %s: %s\n", workers[i].error.where, workers[i].error.text);
	}
	printf("%u of %d runs were good\n", good, THREADS * RUNS_EACH);
	return good == THREADS * RUNS_EACH ? 0 : -1;
}

int main(void)
{
	struct coffer *coffer = NULL;
	struct coffer_policy *policy = NULL;
	struct coffer_error error;
	int r = coffer_new(&coffer, &error);
	if (r == 0)
		r = coffer_policy_new(&policy, &error);
	if (r < 0)
		fprintf(stderr, "threads: %s: %s\n", error.where, error.text);
	else
		r = run_all(coffer, policy);
	coffer_policy_free(policy);
	coffer_free(coffer);
	return r < 0;
}
