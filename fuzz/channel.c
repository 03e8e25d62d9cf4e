/* A line of a client's. What is read has an id, a method, and parameters that its list allows; what is refused has a reason, in one line. */
#include "base/json.h"
#include "channel/params.h"
#include "channel/request.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static void require(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request = { 0 };
	struct err err = { 0 };
	char path[PATH_BYTES_MAX + 1];

	if (size > REQUEST_LINE_MAX)
		return 0;
	if (channel_request_read((const char *)data, size, &request, &err) < 0) {
		require(err.code != ERR_NONE && err.text[0] && !strchr(err.text, '\n'));
		require(!request.params && !request.method);
		return 0;
	}
	require(request.id > 0 && request.method && json_is_object(request.params));
	require(params_check(request.method->params, request.params, &err) == 0);
	if (params_path(params_get(request.params, "path"), path, &err) == 0)
		require(strlen(path) <= PATH_BYTES_MAX);
	channel_request_done(&request);
	return 0;
}
