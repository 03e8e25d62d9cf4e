/*
 * cgroup.h: control groups as directories, version 1 and 2 alike. Minimum kernel 4.13 (counted OOM kills); cgroup.kill is 5.14,
 * memory.peak 5.19, pids.peak 6.11: what is absent is left at 0 in the account.
 *
 * Nothing here knows limits or their names: a file is a path, a value is text.
 */
#ifndef COFFER_SYS_CGROUP_H
#define COFFER_SYS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/* Which accounts a directory keeps. Version 2 keeps them all in one. */
enum cgroup_account { CGROUP_V2, CGROUP_V1_MEMORY, CGROUP_V1_PIDS, CGROUP_V1_CPU, CGROUP_V1_FREEZER };

/* -EEXIST when it is there already. */
int cgroup_make(const char *dir);

/*
 * Writes a value and reads it back: -ERANGE when the kernel keeps another one (it rounds sizes down to pages; that is fine). On version
 * 2 a controller that the parent has, but does not hand down, is handed down first; that stays, for others may come to rely on it.
 */
int cgroup_set(const char *file, const char *value);

/* Kills every process in it until none is left. -EBUSY when some will not go. */
int cgroup_kill(const char *dir);

/*
 * Stops every process in it where it is, or lets them go on, unseen by themselves: version 2 (5.2) and version 1's freezer. -EOPNOTSUPP for a
 * directory without one, -EBUSY when some do not stop within a second.
 */
int cgroup_freeze(const char *dir, enum cgroup_account account, bool freeze);
/* Gives memory of its processes back to the host, as far as the kernel finds it easy (version 2: 5.19). */
void cgroup_reclaim(const char *dir, enum cgroup_account account);
/* What its processes have in memory now; 0: not known. */
uint64_t cgroup_memory(const char *dir, enum cgroup_account account);

/* Kills what is left in it and removes it with the directories below. 0 also when it is gone already. */
int cgroup_remove(const char *dir);

/* What a run has used, and what it has hit. cgroup_read adds what one more directory knows of the former, cgroup_read_hits of the latter. */
struct cgroup_usage {
	uint64_t cpu_us;                     /* user and system time; on version 1 the cpuacct controller's */
	uint64_t cpu_user_us, cpu_system_us; /* 0 where only the sum is kept */
	uint64_t memory_peak_bytes;
	uint64_t processes_peak;
	uint64_t oom_kills;
	uint64_t forks_refused;
};
void cgroup_read(const char *dir, enum cgroup_account account, struct cgroup_usage *usage);
void cgroup_read_hits(const char *dir, enum cgroup_account account, struct cgroup_usage *usage);
/* The processor time alone, for polling. -ENOENT when the directory keeps no such account. */
int cgroup_read_cpu(const char *dir, enum cgroup_account account, uint64_t *ret_us);

#endif
