/*
 * explain.c: the plan of a request, and the policy behind it, before anything happens.
 */
#include <coffer.h>
#include <stdio.h>

static int explain(struct coffer *coffer, struct coffer_policy *policy, struct coffer_error *error)
{
	static const char *const argv[] = { "true", NULL };
	struct coffer_request *request = NULL;
	char *plan = NULL, *settings = NULL;
	int r = coffer_policy_profile(policy, "strict", error);
	if (r == 0)
		r = coffer_policy_deny_write(policy, "/srv", error);
	if (r == 0)
		r = coffer_policy_text(policy, &settings, error);
	if (r == 0)
		r = coffer_request_new(coffer, policy, argv, &request, error);
	if (r == 0)
		r = coffer_explain(request, COFFER_TEXT, &plan, error);
	if (r == 0)
		printf("%s\n%s", settings, plan);
	coffer_text_free(plan);
	coffer_text_free(settings);
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
		r = explain(coffer, policy, &error);
	if (r < 0)
		fprintf(stderr, "explain: %s: %s\n", error.where, error.text);
	coffer_policy_free(policy);
	coffer_free(coffer);
	return r < 0;
}
