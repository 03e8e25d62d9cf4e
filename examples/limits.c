/*
 * limits.c: what happens at a limit, and a run that is cancelled from a signal handler.
 */
#include <coffer.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static struct coffer_request *running;

static void on_alarm(int number)
{
	(void)number;
	coffer_cancel(running);
}

/* Runs one shell script under the policy and says why it ended. */
static int run(struct coffer *coffer, const struct coffer_policy *policy, const char *script, struct coffer_error *error)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct coffer_outcome *outcome = NULL;
	int r = coffer_request_new(coffer, policy, argv, &running, error);
	if (r == 0)
		r = coffer_run(running, &outcome, error);
	if (r == 0)
		printf("%-40s %-10s status %d\n", script, coffer_cause_name(coffer_outcome_cause(outcome)),
		       coffer_outcome_exit_code(outcome));
	coffer_outcome_free(outcome);
	coffer_request_free(running);
	return r;
}

static int run_all(struct coffer *coffer, struct coffer_policy *policy, struct coffer_error *error)
{
	int r = coffer_policy_set(policy, "limits.timeout", "2s", error);
	if (r == 0)
		r = coffer_policy_set(policy, "limits.output", "64K", error);
	if (r == 0)
		r = run(coffer, policy, "exit 3", error);
	if (r == 0)
		r = run(coffer, policy, "sleep 20", error);
	if (r == 0)
		r = run(coffer, policy, "yes", error);
	if (r == 0)
		r = run(coffer, policy, "kill -TERM $$", error);
	if (r == 0)
		r = coffer_policy_set(policy, "limits.timeout", "unlimited", error);
	if (r == 0) {
		(void)signal(SIGALRM, on_alarm);
		alarm(1);
		r = run(coffer, policy, "sleep 60", error);
	}
	return r;
}

int main(void)
{
	struct coffer *coffer = NULL;
	struct coffer_policy *policy = NULL;
	struct coffer_error error;
	int r = coffer_new(&coffer, &error);
	if (r == 0)
		r = coffer_policy_new(&policy, &error);
	if (r == 0)
		r = run_all(coffer, policy, &error);
	if (r < 0)
		fprintf(stderr, "limits: %s: %s\n", error.where, error.text);
	coffer_policy_free(policy);
	coffer_free(coffer);
	return r < 0;
}
