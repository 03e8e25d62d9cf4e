#include "cli/control.h"

#include <string.h>

enum { LINE_BYTES_MAX = 1 << 20 };

void control_init(struct control *control)
{
	str_init(&control->line, LINE_BYTES_MAX);
}

static void refuse_too_long(const struct control *control)
{
	const struct coffer_error error = { .code = COFFER_ERROR_LIMIT, .text = "a line of more than 1 MiB" };

	control->refused(control->context, NULL, &error);
}

static void obey(const struct control *control, const char *line, size_t n)
{
	struct coffer_policy *policy = NULL;
	struct coffer_error error = { 0 };
	int r = control->new_policy(control->context, &policy, &error);

	if (r == 0)
		r = coffer_policy_read(policy, line, n, "control", &error);
	if (r == 0)
		r = coffer_request_network(control->request, policy, &error);
	if (r < 0)
		control->refused(control->context, policy, &error);
	coffer_policy_free(policy);
}

static bool is_blank(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr(" \t\r", line[i]))
			return false;
	return true;
}

static void end_line(struct control *control)
{
	if (control->skipping)
		refuse_too_long(control);
	else if (!is_blank(control->line.text, control->line.len))
		obey(control, control->line.text, control->line.len);
	control->skipping = false;
	str_clear(&control->line);
}

void control_take(struct control *control, const char *bytes, size_t n)
{
	while (n > 0) {
		const char *end = memchr(bytes, '\n', n);
		size_t part = end ? (size_t)(end - bytes) : n;

		if (!control->skipping)
			str_add_n(&control->line, bytes, part);
		if (control->line.failed) {
			control->skipping = true;
			str_done(&control->line);
		}
		if (end)
			end_line(control);
		bytes += part + (end != NULL);
		n -= part + (end != NULL);
	}
}
