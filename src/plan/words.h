/* words.h: the numbers in a plan as the words that people know them by. A part of print. */
#ifndef COFFER_PLAN_WORDS_H
#define COFFER_PLAN_WORDS_H

#include "base/str.h"

#include <stdint.h>

enum words_kind {
	WORDS_TREE,       /* PLAN_TREE_ flags: "ro,nosuid", with "rw" for what is not read-only */
	WORDS_NAMESPACES, /* CLONE_NEW*: "user,mount,pid" */
	WORDS_PROC,       /* PLAN_PROC_ flags */
	WORDS_INIT,       /* PLAN_INIT_ flags */
	WORDS_STREAMS,    /* "input,output,error" */
	WORDS_FILES,      /* Landlock file rights; all of reading, making and removing in one word each */
	WORDS_NETWORK,    /* Landlock network rights */
	WORDS_SCOPES,     /* Landlock scopes */
	WORDS_KINDS_END
};

/* Adds the words with commas between, unknown bits as a hexadecimal number, and "none" for 0. */
void words_put(struct str *out, enum words_kind kind, uint64_t bits);

/* Both of these answer with "?" when the number is unknown. */
const char *words_cgroup(uint64_t controller); /* enum plan_cgroup: "v2", "v1 memory" */
const char *words_rlimit(uint64_t resource);   /* "NOFILE" */

/* What the value of a resource limit counts. */
enum words_unit { WORDS_COUNT, WORDS_BYTES, WORDS_SECONDS };
enum words_unit words_rlimit_unit(uint64_t resource);

#endif
