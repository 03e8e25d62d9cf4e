/*
 * outcome.h: what happened. A value; strings live in the arena that the run was given.
 */
#ifndef COFFER_PLAN_OUTCOME_H
#define COFFER_PLAN_OUTCOME_H

#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

/* Why the run ended. One of these is always true, and it is the first that was. */
enum outcome_cause {
#define CAUSE(id, name, sentence) CAUSE_##id,
#include "plan/causes.def"
#undef CAUSE
	CAUSES_END
};
const char *outcome_cause_name(enum outcome_cause cause);

/* One refusal that init or the engine saw. */
struct denial {
	int32_t pid;           /* inside */
	const char *process;   /* comm */
	const char *operation; /* open, create, rename, unlink, connect, bind, socket, mount, ptrace, signal, … */
	const char *target;    /* path, address, family */
	int32_t errnum;
	const char *rule;     /* provenance of the rule that decided, or "default" */
	const char *remedy;   /* the smallest policy change that would allow it, as an option: "--allow-write /srv"; NULL when none would */
	const char *settings; /* the same as settings: {"filesystem": {"allowWrite": ["/srv"]}}, or NULL */
	uint32_t count;       /* how often the same was seen */
};
VEC(struct denial, denial_vec)

/* What the egress filter says of a connection, when it is opened, refused, or closed. */
struct connection {
	const char *verdict;       /* "open", "deny", "close" */
	const char *way;           /* "http", "connect", "socks5", "transparent", "dns" */
	const char *host;          /* as asked for; "" where nothing could be read */
	uint16_t port;             /* 0: a lookup, or nothing could be read */
	const char *rule, *reason; /* the pattern that decided; why not, or how it ended; each may be NULL */
	uint64_t bytes_up, bytes_down, duration_ms;
	uint64_t dropped; /* verdicts before this one that nobody was told, for there were too many */
};

/* Of a stream of which not all was to be passed on (engine/spill.h). */
struct outcome_spill {
	bool is_spilled, has_file;
	uint64_t written, head, in_file; /* bytes: by the command; passed on before those that were left out; in the file */
	int errnum;                      /* why the file has not all of it, where that is not its ceiling */
	const char *path;                /* of the file, or NULL */
};

struct outcome {
	int exit_code; /* the command's own; 128 + signal; 124 timeout; 125 coffer's own failure; 126, 127 */
	int signal;    /* that ended the command, 0 */
	enum outcome_cause cause;
	uint64_t duration_ms, duration_us;
	uint64_t cpu_user_us, cpu_system_us;
	uint64_t max_memory_bytes;           /* of the cgroup where there is one, else of the largest process */
	uint64_t processes_peak;             /* 0: not known */
	uint64_t stdout_bytes, stderr_bytes; /* as passed on */
	bool stdout_truncated, stderr_truncated;
	struct outcome_spill spill[2]; /* of standard output and error */
	struct denial_vec denials;
	uint64_t denials_dropped; /* beyond the ceiling of 1,000 different ones */
	uint64_t denials_ignored; /* that the policy wants to hear nothing of */
};

#endif
