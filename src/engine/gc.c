#include "base/own.h"
#include "engine/engine.h"
#include "engine/journal.h"

#include <errno.h>
#include <limits.h>

int engine_gc(const char *state_dir, struct err *err)
{
	struct err absent = { 0 };
	autofd int dir = journal_open_dir(state_dir, &absent);

	if (dir == -ENOENT)
		return 0;
	if (dir < 0)
		return err_set(err, absent.code, absent.errnum, "%s", absent.text);
	return journal_sweep(dir, UINT_MAX);
}
