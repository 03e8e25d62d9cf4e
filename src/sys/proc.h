/*
 * proc.h: what procfs tells about processes.
 */
#ifndef COFFER_SYS_PROC_H
#define COFFER_SYS_PROC_H

#include <stdint.h>
#include <sys/types.h>

struct proc_usage {
	uint64_t user_us, system_us; /* of all, those that have been waited for included; in steps of a clock tick (10 ms) */
	uint64_t memory_kib;         /* of the largest of those that live, at its largest */
};

/*
 * What a process and all its descendants have used. Descendants whose parents ignore SIGCHLD leave no trace when they end, so this is a
 * lower bound; a cgroup's account has no such hole. Needs CONFIG_PROC_CHILDREN (what distributions build): without it, the process alone.
 */
int proc_usage(pid_t top, struct proc_usage *ret_usage);

#endif
