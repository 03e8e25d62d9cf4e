/*
 * plan.h: how a sandbox will be made, as a flat list of operations and the bytes that they name.
 *
 * A plan in memory *is* its encoded form: one contiguous block, header, records, bytes. The compiler
 * builds it with plan_build.h, the engine copies it into a sealed memfd, and the launcher maps that
 * and uses it in place. So encoding is a copy, and decoding is plan_open: bounds first, nothing else.
 *
 *   struct plan_head | struct plan_op × op_count | bytes (strings, lists, blobs, each string NUL-terminated)
 *
 * This header is for all who read plans, the launcher included: no allocation, no stdio.
 */
#ifndef COFFER_PLAN_PLAN_H
#define COFFER_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLAN_MAGIC = 0x72666f63 /* "cofr" */, PLAN_VERSION = 1 };
enum { PLAN_EGRESS_SECRETS = 1 }; /* the operand of EGRESS that goes to the filter and nowhere else */
enum { PLAN_LAYERS_MAX = 128 };   /* of an overlay, besides the base and the one that is written */
enum { PLAN_OPERANDS_MAX = 6, PLAN_OPS_MAX = 8192, PLAN_BYTES_MAX = 8 << 20, PLAN_SLOTS_MAX = 512 };
enum { PLAN_BLOB_ALIGN = 8 }; /* a blob's offset is a multiple: a filter is used in place */

enum plan_actor { PLAN_HOST, PLAN_WARDEN, PLAN_JAIL };
enum plan_stage { PLAN_PREPARE, PLAN_BIRTH, PLAN_ROOT, PLAN_PIVOT, PLAN_SHED, PLAN_LOCK, PLAN_EXEC };
enum plan_inverse { PLAN_INVERSE_NONE, PLAN_INVERSE_NOTHING, PLAN_INVERSE_WITH_MAKE, PLAN_INVERSE_CGROUP_REMOVE, PLAN_INVERSE_REMOVE_TREE };

enum plan_opcode {
#define OP(name, actor, stage, inverse, operands, sentence) OP_##name,
#include "plan/ops.def"
#undef OP
	OP_CODES_END
};

/* Flags of HOST_TREE, TREE, TMPFS, REBIND, REMOUNT. */
enum {
	PLAN_TREE_RO = 1,
	PLAN_TREE_NOSUID = 2,
	PLAN_TREE_NODEV = 4,
	PLAN_TREE_NOEXEC = 8,
	PLAN_TREE_NOSYMFOLLOW = 16,
	PLAN_TREE_RECURSIVE = 32, /* with all mounts below, flags applied to each */
	PLAN_TREE_OPTIONAL = 64,  /* an absent source leaves the slot empty and PLACE does nothing; REBIND: as in MASK */
};
/* OPTIONAL: in a tree that the sandbox has changed before. Skipped where there is no such path without a link, and whatever is there is covered. */
enum { PLAN_MASK_DIR = 1, PLAN_MASK_FILE = 2, PLAN_MASK_OPTIONAL = 4 };
enum { PLAN_PROC_SUBSET_PID = 1, PLAN_PROC_HIDEPID = 2, PLAN_PROC_RO = 4 };
enum plan_cgroup { PLAN_CGROUP_V2, PLAN_CGROUP_V1_MEMORY, PLAN_CGROUP_V1_PIDS, PLAN_CGROUP_V1_CPU, PLAN_CGROUP_V1_FREEZER };

/*
 * INIT: how calls that the filter hands to init are treated. The filter's notify return carries no
 * reason, so init looks at the call number.
 *
 * Regions: sorted by path, each one letter and a normal path: 'w' writable, 'p' the same and nobody's but the sandbox's, 'r' read-only, 'h' hidden; the
 * longest path that contains the target decides. Patterns: a letter and an absolute glob (base/glob.h), tried from the last to the first, the first that fits decides:
 *
 *   'w'  a name that must not be made or written, nor anything below it
 *   'd'  the same for exactly this name, but that mkdir may make it: a file, a link, or a rename to it is refused
 *   '+'  an exception: this name and all below it may be made and written, whatever lines before say
 *   'r'  a file that must not be opened at all, nor anything below it, unless it is a cover (MASK, COVER); decides apart from the three before
 *   'o'  an exception to those: this file and all below it may be opened
 *   's'  a local socket of the host, or a directory of them, that may be connected to
 *   'i'  the same for the one socket that has this path, which is none of a pattern, when the command starts, wherever it is moved to
 *
 * A directory that is renamed, or a link that is made, gives a name to all that is below it: refused where a 'w' or 'd' line could
 * match below the new name what it did not match below the old one. The provenance list holds one string a region, then one a pattern.
 */
enum {
	PLAN_INIT_TELL = 1,      /* report denials */
	PLAN_INIT_ACT = 2,       /* perform calls that make names itself, against the 'w' patterns; such calls never continue */
	PLAN_INIT_ACT_OPENS = 4, /* perform every open itself, against the 'r' patterns too */
	PLAN_INIT_RUNG2 = 8,     /* no pid namespace: init is a subreaper and hunts its descendants at the end */
	PLAN_INIT_SOCKETS =
	    16, /* hand out blanks for local sockets, bind and connect them itself: to what was made inside, and what the patterns list */
	PLAN_INIT_ABSTRACT = 32 /* names in no directory lead to what was made inside: the network namespace or Landlock sees to that */
};

struct plan_head {
	uint32_t magic, version;
	uint32_t op_count, note_count; /* notes are strings at the start of bytes */
	uint32_t bytes_len;
	uint32_t slots;
};

/*
 * One operation. A number operand is in arg whole; a string, path, list or blob is offset << 32 | length
 * into bytes, without the NUL; a list is its strings one after another, each with its NUL, length counting all of them.
 */
struct plan_op {
	uint16_t code;
	uint16_t reserved;
	uint32_t why; /* offset of the provenance string in bytes */
	uint64_t arg[PLAN_OPERANDS_MAX];
};

struct plan {
	const struct plan_head *head;
	const struct plan_op *op;
	const char *bytes;
	size_t size; /* of the whole block */
};

struct plan_op_info {
	const char *name, *operands, *sentence;
	uint8_t actor, stage, inverse;
};

/* Never NULL for a code below OP_CODES_END; NULL otherwise. */
const struct plan_op_info *plan_op_info(unsigned code);

/* Checks every bound of the block, which is 8-byte aligned and `size` exactly, and fills *ret_plan with pointers into it. -EINVAL when anything is off. */
int plan_open(const void *block, size_t size, struct plan *ret_plan);

/* Operands by position. Only on a plan that plan_open accepted, with the kind that ops.def says. */
uint64_t plan_number(const struct plan_op *op, unsigned operand);
const char *plan_text(const struct plan *plan, const struct plan_op *op, unsigned operand);
const void *plan_blob(const struct plan *plan, const struct plan_op *op, unsigned operand, size_t *ret_len);
/* Steps through a list: first call with NULL; NULL at the end. */
const char *plan_list_next(const struct plan *plan, const struct plan_op *op, unsigned operand, const char *previous);
size_t plan_list_count(const struct plan *plan, const struct plan_op *op, unsigned operand);
const char *plan_why(const struct plan *plan, const struct plan_op *op); /* provenance */
const char *plan_note(const struct plan *plan, unsigned index);

/* plan_check answers with two integers: which check, at which operation. */
enum plan_fault {
	PLAN_FINE,
	PLAN_STAGE_BACKWARDS,
	PLAN_NOT_ONE_EXEC_LAST, /* nor one SERVE */
	PLAN_SLOT_MISUSED,      /* used before opened, opened twice, or left open at EXEC */
	PLAN_PATH_NOT_NORMAL,
	PLAN_WRITABLE_UNSAFE,   /* a writable mount of the host without nosuid and nodev */
	PLAN_NO_NEW_PRIVS_LATE, /* missing, or after SECCOMP */
	PLAN_AFTER_SECCOMP,     /* something between SECCOMP and EXEC, or no SECCOMP */
	PLAN_NO_INVERSE,
	PLAN_LANDLOCK_ORDER, /* OPEN, PATH…, ENTER; never twice */
	PLAN_NO_SPAWN,       /* not exactly one; or none, and yet something that would need it */
	PLAN_NO_CAPS_DROP,
	PLAN_ROOT_ORDER,        /* mounts before a root, no PIVOT after a root, or PIVOT without one */
	PLAN_TWICE,             /* an operation that may stand once stands twice */
	PLAN_FDS_LEFT,          /* no CLOSE_FDS before SECCOMP */
	PLAN_NAMESPACE_MISSING, /* an operation that would change the host, for SPAWN does not make the namespace that it is meant for */
	PLAN_OPERAND_WRONG,     /* an unknown flag, a filter or list that is not well formed */
	PLAN_FAULTS_END
};

struct plan_verdict {
	enum plan_fault fault;
	uint32_t op; /* index; op_count when the fault is an absence */
};

struct plan_verdict plan_check(const struct plan *plan);
/* Is it to be carried out by process 1 of a session, in a sandbox that another plan has made? */
bool plan_is_for_session(const struct plan *plan);
const char *plan_fault_text(enum plan_fault fault); /* one sentence, for people */

#endif
