/*
 * proc.h: what procfs tells about processes.
 */
#ifndef COFFER_SYS_PROC_H
#define COFFER_SYS_PROC_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Processor time of a process and of all its descendants, those that have been waited for included. In steps of a clock tick (10 ms).
 * Descendants whose parents ignore SIGCHLD leave no trace when they end, so this is a lower bound; a cgroup's account has no such
 * hole. Needs CONFIG_PROC_CHILDREN (what distributions build): without it, the process alone.
 */
int proc_cpu_time(pid_t top, uint64_t *ret_us);

#endif
