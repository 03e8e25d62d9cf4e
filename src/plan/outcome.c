#include "plan/outcome.h"

#include <stddef.h>

static const char *const names[CAUSES_END] = {
#define CAUSE(id, name, sentence) [CAUSE_##id] = name,
#include "plan/causes.def"
#undef CAUSE
};

const char *outcome_cause_name(enum outcome_cause cause)
{
	return (unsigned)cause < CAUSES_END ? names[cause] : NULL;
}
