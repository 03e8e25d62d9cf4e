/*
 * bpf.h: the system call filters of a sandbox, as bytes for the plan (struct sock_filter[], the SECCOMP and INIT operations).
 *
 * syscalls.def says which call follows which rule; a request says how the rules are to be read for this run. Every call gets
 * one of these answers:
 *
 *   allowed    and, where no argument matters, remembered by the kernel, which then skips the filter
 *   refused    EPERM; with `notify` init is asked instead, which reports the denial and answers EPERM
 *   missing    ENOSYS, never reported: unknown numbers, clone3, and what callers have another way for
 *   told       (only with notify) init reports the call if the policy denies it, and lets it continue; no enforcement
 *   acted      (only with notify) init performs the call itself, against its patterns; never continues
 *   killed     a foreign architecture's call, x32 among them
 *
 * The listener sees a call's number but not why it was asked. So each number that can reach init has one meaning: open, openat,
 * creat, the NAME calls, bind and connect are told or acted; WRITE_PATH, SENDTO and SIGNAL calls are told; umask is noted and continues; every other
 * number is refused, but for the sockets that init makes. (A device's mknod is therefore EPERM at once.)
 *
 * The filters are for the architecture that this code is built for. Pure: the bytes depend on the request alone.
 */
#ifndef COFFER_COMPILE_BPF_H
#define COFFER_COMPILE_BPF_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct bpf_request {
	bool notify;        /* init listens (SECCOMP_FILTER_FLAG_NEW_LISTENER); without it nothing is told */
	bool tell_writes;   /* told: opens with write intent, NAME, WRITE_PATH, CONNECT, SENDTO with an address, SIGNAL */
	bool tell_reads;    /* told: every open */
	bool act_names;     /* acted: opens with write intent, creat, NAME, BIND. Needs notify */
	bool act_opens;     /* acted: every open, NAME and BIND, for a rename would give a hidden file a permitted name. Needs notify */
	bool inet;          /* AF_INET and AF_INET6: TCP and UDP */
	bool act_sockets;   /* acted: BIND, CONNECT; AF_UNIX sockets come to init, which makes them. Needs notify */
	bool unix_sockets;  /* AF_UNIX that can be connected and bound; without it only stream and seqpacket pairs */
	bool ptrace;        /* ptrace and process_vm_* */
	bool nested_userns; /* clone, unshare and setns of namespaces, mounts, chroot: for browsers. Patterns cannot be enforced then */
	bool tagged;        /* the limit of real-time processor time is a mark (sys/tag.h), and stays as it is */
	bool host_ipc;      /* no ipc namespace (rung two): System V IPC and POSIX queues are the host's, so refused */
};

/*
 * The command's filter, in the arena. Returns 0, -ENOMEM, or -EINVAL when the request wants init to act without listening.
 */
int bpf_build(struct arena *arena, const struct bpf_request *request, const void **ret_filter, size_t *ret_bytes, struct err *err);

/* Init's own filter, which it loads once the command runs: the calls that syscalls.def marks for it, everything else kills. */
int bpf_build_init(struct arena *arena, const void **ret_filter, size_t *ret_bytes, struct err *err);

#endif
