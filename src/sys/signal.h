/*
 * signal.h: signals that a library must not let through to its host.
 *
 * Writing to a pipe that nobody reads raises SIGPIPE in the writing thread, and touching a terminal from the background raises SIGTTIN
 * or SIGTTOU. Under a guard the calling thread gets EPIPE and EIO instead; other threads, and what the process does on signals, stay as
 * they are.
 */
#ifndef COFFER_SYS_SIGNAL_H
#define COFFER_SYS_SIGNAL_H

#include <signal.h>
#include <stdbool.h>

struct signal_guard {
	sigset_t before; /* the thread's mask */
	bool was_pending;
};

int signal_guard_init(struct signal_guard *guard);
void signal_guard_done(struct signal_guard *guard);

/* A descriptor that is readable when one of the signals, which the caller has blocked, has come. Non-blocking. */
int signal_open(const sigset_t *signals);
/* The next signal's number, or 0 when there is none. */
int signal_next(int fd);

/*
 * For a process that is about to execute: nothing is blocked, and what the caller ignored is not. posix_spawn has seen to all but the numbers that C
 * libraries keep to themselves; handlers end with the exec.
 */
void signal_reset(void);

#endif
