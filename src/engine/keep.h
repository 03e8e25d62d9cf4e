/*
 * keep.h: managed processes: commands in a session that nobody waits for. Each has a keeper, a process of this user's outside the sandbox, which is
 * coffer-session under another name: it holds the exec's socket, so that the command is not killed with whoever started it, and lets others attach.
 *
 * Whoever starts one has made its directory and connected to the session; the keeper gets both, and the plan. Who attaches connects to the socket in the directory
 * and sends and receives packets, each a struct keep_packet and bytes:
 *
 *   to the keeper   HELLO a = version, n = how many of the last bytes to repeat · SIZE a = rows, b = columns · KEYS bytes
 *   from it         HELLO a = version, b = 1: it has a terminal · OUTPUT a = stream, bytes · LOST a = stream, n = bytes that went too fast · ENDED, when its
 *                   record says how · REFUSED a = errno
 */
#ifndef COFFER_ENGINE_KEEP_H
#define COFFER_ENGINE_KEEP_H

#include "engine/live.h"

enum { KEEP_VERSION = 1, KEEP_ATTACHED_MAX = 16, KEEP_KEYS_MAX = 4096, KEEP_BYTES_MAX = 32 << 10 };

#define KEEP_NAME "coffer-keeper" /* as which coffer-session is started */
#define KEEP_RECORD "record"
#define KEEP_OUTPUT "output"
#define KEEP_ERROR "error"
#define KEEP_CONTROL "control"
#define KEEP_SOCKET "attach"

/* One packet on the keeper's descriptor 3, with KEEP_START_FDS descriptors; it answers with one struct live_started. Both are the same build's. */
struct keep_start {
	uint32_t version;
	uint16_t rows, columns; /* of its terminal; 0: it has none */
	uint64_t log_bytes;     /* of each stream */
	char run_id[32];
	char state_dir[LIVE_PATH_MAX];
};
/* Sealed files: the plan, its words as a JSON array, its input; a connection to the session; the directory, and a lock that is held as long as it is open. */
enum { KEEP_START_PLAN, KEEP_START_WORDS, KEEP_START_INPUT, KEEP_START_SESSION, KEEP_START_DIR, KEEP_START_LOCK, KEEP_START_FDS };

/* Starts it; it goes on when this process ends. 0 when the command is executed, or why it could not be. */
int keep_spawn(const struct keep_start *start, const int fds[KEEP_START_FDS], struct err *err);

enum keep_word { KEEP_HELLO = 1, KEEP_SIZE, KEEP_KEYS, KEEP_OUTPUT_BYTES, KEEP_LOST, KEEP_ENDED, KEEP_REFUSED };
struct keep_packet {
	uint32_t type, a, b, zero;
	uint64_t n;
};

/* A connection to the keeper of the process whose directory it is; -ENOENT, -ECONNREFUSED: nobody listens, for it is over. */
int keep_connect(int dir);

/* The keeper's life, when it has been told what to do. Returns its exit status. answer is called once. */
int keeper_run(const struct keep_start *start, const int fds[KEEP_START_FDS], void (*answer)(int result, const struct err *err));

#endif
