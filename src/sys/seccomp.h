/*
 * seccomp.h: system call filters, and the calls that a filter hands to a listener. Filters are Linux 3.17 (seccomp(2)), listeners 5.0,
 * answers with a descriptor 5.14.
 */
#ifndef COFFER_SYS_SECCOMP_H
#define COFFER_SYS_SECCOMP_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Loads a filter (struct sock_filter[]) for the calling thread. Needs no_new_privs. */
int seccomp_load(const void *filter, size_t bytes);
/*
 * The same, and returns the listener. From 5.19 on a caller that waits for its answer is only disturbed by what kills it, so that no
 * call is made twice.
 */
int seccomp_load_listening(const void *filter, size_t bytes);

/* From 6.6 on: caller and listener wake each other on the processor that they share, which halves the way there and back. */
void seccomp_hurry(int listener);

/* The next call. -ENOENT when the caller died meanwhile. */
int seccomp_receive(int listener, struct seccomp_notif *ret_call);
/* Is the caller of this call still waiting? Then what its pid gave was its own. */
bool seccomp_is_waiting(int listener, uint64_t id);
/* Answers: result 0 or a negative errno. */
int seccomp_answer(int listener, uint64_t id, int result);
/* The kernel makes the call, with what is in the caller's memory and registers by then: never a decision. */
int seccomp_continue(int listener, uint64_t id);
/* Answers with a copy of fd, close-on-exec or not, or with why the caller can have none. */
void seccomp_answer_open(int listener, uint64_t id, int take_fd, bool cloexec);

/* Puts a copy of fd where the caller has one of this number, and answers 0. */
void seccomp_answer_replace(int listener, uint64_t id, int take_fd, int number, bool cloexec);

#endif
