/*
 * What a decider says. Whatever passes may be written into a head as it is: names are tokens that frame nothing, values are lines, numbers are what
 * their words promise.
 */
#include "fuzz.h"

#include "egress/decider.h"

#include <stdlib.h>
#include <string.h>

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_line(const char *text)
{
	require(text && !strpbrk(text, "\r\n"));
}

static void check_name(const char *name)
{
	require(name && *name && !strpbrk(name, ": \t\r\n") && strcmp(name, "host") != 0 && strcmp(name, "content-length") != 0 &&
	        strcmp(name, "transfer-encoding") != 0);
}

static void check_allow(const struct verdict *verdict)
{
	const char *name;
	json_t *values, *value;
	size_t i;

	json_object_foreach ((json_t *)(uintptr_t)verdict->set, name, values) {
		check_name(name);
		require(strcmp(name, "authorization") != 0 && strcmp(name, "cookie") != 0);
		json_array_foreach (values, i, value)
			check_line(json_string_value(value));
	}
	json_array_foreach (verdict->remove, i, value)
		check_name(json_string_value(value));
	require(!verdict->credential == !verdict->credential_class);
	if (verdict->credential)
		require(*verdict->credential && !strpbrk(verdict->credential, " \t\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autojson json_t *frame = NULL;
	struct verdict verdict;

	if (size > DECIDER_FRAME_MAX || json_read((const char *)data, size, "frame", &frame, NULL) < 0)
		return 0;
	if (decider_check_hello(frame))
		require(!decider_check_verdict(frame, &verdict));
	if (!decider_check_verdict(frame, &verdict))
		return 0;
	require(verdict.id > 0);
	if (verdict.action == VERDICT_ALLOW)
		check_allow(&verdict);
	else if (verdict.action == VERDICT_DENY)
		require(verdict.status >= 400 && verdict.status <= 599);
	else
		require(verdict.most > 0 && verdict.most <= DECIDER_BODY_MAX);
	if (verdict.action == VERDICT_DENY && verdict.reason)
		check_line(verdict.reason);
	return 0;
}
