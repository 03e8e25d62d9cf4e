#include "plan/secret.h"

#include <string.h>
#include <strings.h>

static const char *const telling[] = { "KEY", "TOKEN", "SECRET", "PASS", "CRED", "AUTH" };

static bool has(const char *name, size_t n, const char *word)
{
	size_t length = strlen(word);

	for (size_t at = 0; at + length <= n; at++)
		if (strncasecmp(name + at, word, length) == 0)
			return true;
	return false;
}

bool secret_is_name(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++)
		if (has(name, n, telling[i]))
			return true;
	return false;
}
