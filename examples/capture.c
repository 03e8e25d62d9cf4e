/*
 * capture.c: input from memory, output and refusals to a callback.
 */
#include <coffer.h>
#include <stdio.h>
#include <string.h>

struct capture {
	char text[4096];
	size_t len;
	unsigned denials;
};

static void on_event(void *context, const struct coffer_event *event)
{
	struct capture *capture = context;
	if (event->type == COFFER_EVENT_OUTPUT && event->stream == 1 && event->len < sizeof(capture->text) - capture->len) {
		memcpy(capture->text + capture->len, event->bytes, event->len);
		capture->len += event->len;
	} else if (event->type == COFFER_EVENT_DENIED) {
		capture->denials++;
		printf("refused: %s %s; to allow it: %s\n", event->denial->operation, event->denial->target,
		       event->denial->remedy ? event->denial->remedy : "nothing does");
	}
}

static int run(struct coffer *coffer, const struct coffer_policy *policy, struct coffer_error *error)
{
	static const char *const argv[] = { "sh", "-c", "tr a-z A-Z; echo x > /usr/x", NULL };
	static const char input[] = "from memory\n";
	struct capture capture = { "", 0, 0 };
	struct coffer_request *request = NULL;
	struct coffer_outcome *outcome = NULL;
	int r = coffer_request_new(coffer, policy, argv, &request, error);
	if (r == 0)
		r = coffer_request_input(request, input, strlen(input), error);
	if (r == 0) {
		coffer_request_events(request, on_event, &capture);
		r = coffer_run(request, &outcome, error);
	}
	if (r == 0)
		printf("it said \"%.*s\" in %llu µs\n", (int)strcspn(capture.text, "\n"), capture.text,
		       (unsigned long long)coffer_outcome_measure(outcome, COFFER_DURATION_US));
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
		r = run(coffer, policy, &error);
	if (r < 0)
		fprintf(stderr, "capture: %s: %s\n", error.where, error.text);
	coffer_policy_free(policy);
	coffer_free(coffer);
	return r < 0;
}
