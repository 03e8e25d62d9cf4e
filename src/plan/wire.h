/*
 * wire.h: what launcher and engine say to each other while a plan runs.
 *
 * One SOCK_SEQPACKET pair, descriptor 4 of the launcher; the plan is descriptor 3 (a sealed memfd); 0, 1, 2 are the sandbox's.
 *
 *   launcher → engine                              engine → init
 *   FAILED   op index, errno        then exits     SIGNAL  number: to the command's process; b = 1: in a session to its group,
 *                                                         and when it ends, all that came of it is killed
 *   SOCKET   a TCP socket in SCM_RIGHTS, or none   SOCKET  make one in the sandbox's network
 *                                                  READY   the egress filter is, and this is said first
 *   LISTENER a: what it is for (enum wire_listener); the socket in SCM_RIGHTS, for the filter
 *   TERMINAL master in SCM_RIGHTS                  (closing the socket: everything inside is killed)
 *   STARTED  in a session: the command has been executed
 *   DENIED   struct wire_denied + text
 *   EXITED   a = wait status, usage
 *
 * In a session process 1 says SERVING, with its root in SCM_RIGHTS, and is then sent EXEC after EXEC, each with a plan, the launcher's end of a
 * socket of its own, on which all of the above is said about that command alone, and three streams. Its number (a) is one of a session's own; b = 1: it may stay, and is not to have
 * the last place.
 *
 * The peer's end closing is the only other message: every process of the sandbox is gone then, for each holds a copy
 * until exec and the warden holds one until its jail has been reaped.
 */
#ifndef COFFER_PLAN_WIRE_H
#define COFFER_PLAN_WIRE_H

#include <stdint.h>

enum { WIRE_PLAN_FD = 3, WIRE_SOCKET_FD = 4 };
enum { WIRE_TEXT_MAX = 4096 + 256 };

enum wire_type {
	WIRE_FAILED = 1,
	WIRE_TERMINAL,
	WIRE_STARTED,
	WIRE_DENIED,
	WIRE_EXITED,
	WIRE_SIGNAL,
	WIRE_LISTENER,
	WIRE_SOCKET,
	WIRE_READY,
	WIRE_EXEC,
	WIRE_SERVING
};

/* EXEC's descriptors, in this order. */
enum { WIRE_EXEC_PLAN, WIRE_EXEC_SOCKET, WIRE_EXEC_STREAMS, WIRE_EXEC_FDS = WIRE_EXEC_STREAMS + 3 };

/* As the filter's socket has it: a letter each. */
enum wire_listener { WIRE_LISTENER_PROXY = 'P', WIRE_LISTENER_TRANSPARENT = 'T', WIRE_LISTENER_RESOLVER = 'D' };

struct wire {
	uint16_t type;
	uint16_t text_len; /* of the text that follows in the same packet */
	int32_t a;         /* FAILED: op index · LISTENER: its kind · EXITED: wait status · DENIED: pid inside · SIGNAL: number */
	int32_t b;         /* FAILED: errno · DENIED: errno that the caller got */
	uint32_t c;        /* DENIED: system call number · EXITED: processes peak or 0 */
	uint32_t
	    d; /* DENIED: index of the region or pattern that decided, plus 1; 0 when none did · EXITED: denials that were not sent, for there were too many */
	uint32_t e;                              /* DENIED: socket family, signal, or flags of the call */
	uint64_t utime_us, stime_us, maxrss_kib; /* EXITED: of all that init reaped */
};
/* DENIED's text: comm, NUL, target (path, or address as text), NUL. */

#endif
