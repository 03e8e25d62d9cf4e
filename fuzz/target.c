/* The paths of requests: no reading is longer than the path, all begin with "/", and a reading that is read again stays as it is. */
#include "fuzz.h"

#include "egress/target.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* "." or ".." as a segment. */
static bool has_dots(const char *path)
{
	for (const char *at = path; (at = strchr(at, '/')); at++)
		if (strncmp(at, "/./", 3) == 0 || strncmp(at, "/../", 4) == 0 || strcmp(at, "/.") == 0 || strcmp(at, "/..") == 0)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target first, again;
	char *text = strndup((const char *)data, size);
	struct head_text path = { text, strlen(text) };

	if (target_read(path, &first) == 0) {
		require(first.plain[0] == '/' && first.spelled[0] == '/' && first.normalized[0] == '/');
		require(strlen(first.plain) <= path.n + 1 && strlen(first.normalized) <= path.n + 1);
		require(!has_dots(first.plain) && !strstr(first.plain, "//") && !strchr(first.plain, '\\'));
		path = (struct head_text){ first.normalized, strlen(first.normalized) };
		require(target_read(path, &again) == 0 && !again.ambiguous && strcmp(again.normalized, first.normalized) == 0);
	}
	free(text);
	return 0;
}
