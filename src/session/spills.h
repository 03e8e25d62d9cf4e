/*
 * spills.h: the files that keep what a command wrote beyond what its caller wanted to be told: sessions/ID/output/RUN.stdout and RUN.stderr. They are the host's, out of the
 * sandbox's reach, and go with the session. All of a session's together have a ceiling: the oldest make room.
 */
#ifndef COFFER_SESSION_SPILLS_H
#define COFFER_SESSION_SPILLS_H

#include "engine/spill.h"
#include "session/sessions.h"

enum { SPILLS_ALL_MAX = 1 << 30 };

struct spills {
	int dir; /* or a negative errno: there will be no file */
	const char *path[2];
	struct spill_wish wish; /* for session_exec; lives in this structure and the arena */
};

/* marks: say between the halves where the file is. A directory that cannot be made (a full disk) is no error: it is told in the outcome. */
struct spills_want {
	uint64_t most, file_bytes;
	bool marks;
};
int spills_open(const struct session *session, const char *id, const struct spills_want *want, struct arena *arena,
                struct spills *ret_spills, struct err *err);
/* Which files there are. */
void spills_tell(const struct spills *spills, struct outcome *outcome);
void spills_close(struct spills *spills);

#endif
