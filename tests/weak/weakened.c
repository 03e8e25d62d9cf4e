/* coffer-egress-weak: the filter without the one check that COFFER_EGRESS_WEAK names. */
#include "egress/weak.h"

#include <stdlib.h>
#include <string.h>

bool weakened(const char *what)
{
	const char *chosen = getenv("COFFER_EGRESS_WEAK");

	return chosen && strcmp(chosen, what) == 0;
}
