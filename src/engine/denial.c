#include "engine/denial.h"

#include "base/own.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* ---- words ---- */

struct call {
	long number;
	const char *operation;
};

static const struct call calls[] = {
#define CALL(name, operation) { SYS_##name, operation },
#include "engine/calls.def"
#undef CALL
/* Older calls, which newer architectures never had. */
#ifdef SYS_open
	{ SYS_open, "open" },
	{ SYS_creat, "create" },
	{ SYS_mkdir, "mkdir" },
	{ SYS_mknod, "mknod" },
	{ SYS_symlink, "symlink" },
	{ SYS_link, "link" },
	{ SYS_rename, "rename" },
	{ SYS_unlink, "unlink" },
	{ SYS_rmdir, "rmdir" },
	{ SYS_chmod, "chmod" },
	{ SYS_chown, "chown" },
	{ SYS_lchown, "chown" },
	{ SYS_utime, "utime" },
	{ SYS_utimes, "utime" },
	{ SYS_futimesat, "utime" },
#endif
#ifdef SYS_renameat
	{ SYS_renameat, "rename" },
#endif
#ifdef SYS_modify_ldt
	{ SYS_modify_ldt, "modify_ldt" },
	{ SYS_iopl, "iopl" },
	{ SYS_ioperm, "iopl" },
#endif
	/* Newer ones, by the numbers that all architectures share. */
	{ 424, "signal" }, /* pidfd_send_signal */
	{ 425, "io_uring" },
	{ 426, "io_uring" },
	{ 427, "io_uring" },
	{ 428, "mount" },
	{ 429, "mount" },
	{ 430, "mount" },
	{ 431, "mount" },
	{ 432, "mount" },
	{ 433, "mount" },    /* open_tree to fspick */
	{ 438, "ptrace" },   /* pidfd_getfd */
	{ 440, "ptrace" },   /* process_madvise */
	{ 442, "mount" },    /* mount_setattr */
	{ 443, "quotactl" }, /* quotactl_fd */
	{ 448, "ptrace" },   /* process_mrelease */
	{ 452, "chmod" },    /* fchmodat2 */
	{ 463, "setxattr" },
	{ 466, "setxattr" }, /* setxattrat, removexattrat */
	{ 467, "mount" },    /* open_tree_attr */
};

static const struct {
	uint32_t family;
	const char *name;
} families[] = {
	{ AF_UNIX, "AF_UNIX" },     { AF_INET, "AF_INET" },   { AF_INET6, "AF_INET6" }, { AF_NETLINK, "AF_NETLINK" },
	{ AF_PACKET, "AF_PACKET" }, { AF_VSOCK, "AF_VSOCK" }, { AF_ALG, "AF_ALG" },     { AF_BLUETOOTH, "AF_BLUETOOTH" },
	{ AF_CAN, "AF_CAN" },       { AF_KEY, "AF_KEY" },     { AF_RDS, "AF_RDS" },     { AF_TIPC, "AF_TIPC" },
};

static const char *operation_of(const struct wire *wire, struct denial_words *words)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		if (calls[i].number != (long)wire->c)
			continue;
		return (wire->e & O_CREAT) && strcmp(calls[i].operation, "open") == 0 ? "create" : calls[i].operation;
	}
	snprintf(words->operation, sizeof(words->operation), "syscall %u", (unsigned)wire->c);
	return words->operation;
}

/* Where init had no text: a refused socket is known by its family. */
static const char *target_of(const struct wire *wire, const char *text, const char *operation, struct denial_words *words)
{
	if (*text || strcmp(operation, "socket") != 0)
		return text;
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (families[i].family == wire->e)
			return families[i].name;
	snprintf(words->target, sizeof(words->target), "AF_%u", (unsigned)wire->e);
	return words->target;
}

/* INIT's last list holds the provenance of each region and pattern. */
static const char *rule_of(const struct plan *plan, uint32_t decided)
{
	const struct plan_op *init = plan->op;
	const struct plan_op *end = plan->op + plan->head->op_count;
	const char *rule = NULL;

	while (init < end && init->code != OP_INIT)
		init++;
	for (uint32_t i = 0; init < end && i < decided; i++) {
		rule = plan_list_next(plan, init, 4, rule);
		if (!rule)
			break;
	}
	return rule ? rule : "default";
}

struct denial denial_read(const struct plan *plan, const struct wire *wire, const char *text, struct denial_words *words)
{
	const char *operation = operation_of(wire, words);

	return (struct denial){ .pid = wire->a,
		                .process = text,
		                .operation = operation,
		                .target = target_of(wire, text + strlen(text) + 1, operation, words),
		                .errnum = wire->b,
		                .rule = rule_of(plan, wire->d) };
}

/* ---- the log ---- */

/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ull;
	return hash;
}

static uint64_t hash_denial(const struct denial *d)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	hash = hash_bytes(hash, d->process, strlen(d->process) + 1);
	hash = hash_bytes(hash, d->operation, strlen(d->operation) + 1);
	hash = hash_bytes(hash, d->target, strlen(d->target) + 1);
	return hash_bytes(hash, &d->errnum, sizeof(d->errnum));
}

static bool is_same(const struct denial *a, const struct denial *b)
{
	return a->errnum == b->errnum && strcmp(a->target, b->target) == 0 && strcmp(a->operation, b->operation) == 0 &&
	       strcmp(a->process, b->process) == 0;
}

/* The slot of a denial: of the same one, or the free one where it belongs. There always is a free one: twice as many slots as denials. */
static uint16_t *find_slot(const struct denial_log *log, const struct denial *d, uint64_t hash)
{
	size_t i = hash % DENIALS_SLOTS;

	for (; log->slots[i]; i = (i + 1) % DENIALS_SLOTS) {
		size_t at = log->slots[i] - 1U;

		if (log->hashes[at] == hash && is_same(&log->denials.at[at], d))
			break;
	}
	return &log->slots[i];
}

static bool make_table(struct denial_log *log, struct arena *arena)
{
	if (!log->hashes)
		log->hashes = arena_array(arena, DENIALS_MAX, sizeof(*log->hashes));
	if (log->hashes && !log->slots)
		log->slots = arena_array(arena, DENIALS_SLOTS, sizeof(*log->slots));
	return log->slots;
}

/* A new one, with copies of its texts. */
static struct denial *append(struct denial_log *log, struct arena *arena, const struct denial *d, uint64_t hash)
{
	struct denial copy = *d;

	copy.process = arena_dup(arena, d->process);
	copy.operation = arena_dup(arena, d->operation);
	copy.target = arena_dup(arena, d->target);
	copy.rule = arena_dup(arena, d->rule);
	copy.count = 1;

	struct denial *new = copy.process &&copy.operation &&copy.target ? denial_vec_add(&log->denials, arena) : NULL;

	if (!new)
		return NULL;
	*new = copy;
	log->hashes[log->denials.n - 1] = hash;
	return new;
}

const struct denial *denial_note(struct denial_log *log, struct arena *arena, const struct denial *denial)
{
	uint64_t hash = hash_denial(denial);
	const struct denial *new;
	uint16_t *slot;

	if (!make_table(log, arena)) {
		log->dropped++;
		return NULL;
	}
	slot = find_slot(log, denial, hash);
	if (*slot) {
		log->denials.at[*slot - 1U].count++;
		return NULL;
	}
	new = log->denials.n < DENIALS_MAX ? append(log, arena, denial, hash) : NULL;
	if (new)
		*slot = (uint16_t)log->denials.n;
	else
		log->dropped++;
	return new;
}
