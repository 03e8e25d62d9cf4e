/*
 * facts.h: what this machine can do, as data. Probed once per process by engine/probe, or read from a
 * JSON file in tests (tests/golden/facts/), so that a plan for Linux 5.15 can be compiled anywhere.
 */
#ifndef COFFER_PLAN_FACTS_H
#define COFFER_PLAN_FACTS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum facts_cgroup { FACTS_CGROUP_NONE, FACTS_CGROUP_V1, FACTS_CGROUP_V2 };

/* Where one controller is, and whether a directory can be made there. dir is the caller's own cgroup. */
struct facts_controller {
	enum facts_cgroup version;
	const char *dir; /* absolute host path, NULL when version is NONE */
};

struct facts {
	const char *kernel; /* "6.18.44" */
	const char *arch;   /* "x86_64" */
	uint32_t uid, gid;
	bool first_user_namespace; /* the caller's is the host's own, where uid 0 is root */
	uint32_t uid_above;        /* uid, as the user namespace above knows it; in the first one the same */
	uint32_t sandbox_uid;      /* host id that the sandbox runs under where the caller is uid 0 and may be anybody; 0 otherwise */
	bool root;                 /* and has CAP_SYS_ADMIN: may mount and map ids. In a container uid 0 may not */
	bool user_namespaces;
	const char *user_namespaces_why; /* when false: the sysctl or LSM that says no, else NULL */
	uint32_t landlock_abi;           /* 0: none */
	bool seccomp_notify;             /* 5.0, with ADDFD|SEND 5.14 */
	const char *tracing_why;         /* what keeps init from finding out what its callers name, else NULL */
	bool mount_api;                  /* open_tree, move_mount, mount_setattr: 5.12 */
	bool idmapped_mounts;            /* 5.12, and the caller is root */
	bool overlay;                    /* overlayfs mounted by a sandbox: 5.11, for root's 5.19; the run may tell otherwise */
	bool nftables;                /* connections of a network namespace can be led to the egress filter; the run may tell otherwise */
	bool proc_mountable;          /* false where the caller's /proc is covered in part (containers): a fresh procfs is refused then */
	bool rlimit_nproc_per_userns; /* 5.14 */
	struct facts_controller memory, pids, cpu, freezer;
	struct facts_controller
	    cpuacct;          /* version 1 only, where it need not be with cpu: the same directory then. Version 2 counts in any cgroup */
	bool cgroup_kill;     /* v2 cgroup.kill, 5.14 */
	bool swap_accounting; /* memory.swap.max / memory.memsw exist */
	uint32_t cpus;
	uint64_t memory_bytes;
};

/* Reads the JSON form. Unknown keys are errors. Strings land in the arena. */
int facts_read(struct arena *arena, const char *text, size_t n, const char *source, struct facts *ret, struct err *err);
void facts_print_json(const struct facts *facts, struct str *out);

/* What a person can do about user_namespaces_why: a command, or words. Not NULL. */
const char *facts_user_namespaces_fix(const struct facts *facts);

#endif
