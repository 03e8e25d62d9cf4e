/*
 * hello.c: one command under a policy.
 *
 *	cc hello.c $(pkg-config --cflags --libs coffer) && ./a.out
 */
#include <coffer.h>
#include <stdio.h>
#include <unistd.h>

/* What the policy says beyond the default, as settings. A program may as well read a file: coffer_policy_read_file. */
static const char settings[] =
    "{\"limits\": {\"memory\": \"256M\", \"timeout\": \"10s\"}, \"environment\": {\"set\": {\"NAME\": \"world\"}}}";

static int hello(struct coffer *coffer, struct coffer_policy *policy, struct coffer_error *error)
{
	static const char *const argv[] = { "sh", "-c", "echo \"hello, $NAME\"; echo lost > /etc/hello || echo 'as it should be'", NULL };
	struct coffer_request *request = NULL;
	struct coffer_outcome *outcome = NULL;
	int r = coffer_policy_read(policy, settings, sizeof(settings) - 1, "settings", error);
	if (r == 0)
		r = coffer_request_new(coffer, policy, argv, &request, error);
	if (r == 0) {
		coffer_request_streams(request, -1, STDOUT_FILENO, -1);
		r = coffer_run(request, &outcome, error);
	}
	if (r == 0)
		printf("exit status %d, because of %s\n", coffer_outcome_exit_code(outcome),
		       coffer_cause_name(coffer_outcome_cause(outcome)));
	coffer_outcome_free(outcome);
	coffer_request_free(request);
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
		r = hello(coffer, policy, &error);
	if (r < 0)
		fprintf(stderr, "hello: %s: %s\n", error.where, error.text);
	coffer_policy_free(policy);
	coffer_free(coffer);
	return r < 0 ? coffer_error_exit_status(error.code) : 0;
}
