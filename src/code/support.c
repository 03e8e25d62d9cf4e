#include "code/support.h"

#include <string.h>

const struct code_support *code_support_named(const char *name)
{
	for (const struct code_support *support = code_supports; support->name; support++)
		if (strcmp(support->name, name) == 0)
			return support;
	return NULL;
}
