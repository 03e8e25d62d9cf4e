/*
 * terminal.h: the caller's terminal in front of a sandbox that has one of its own.
 *
 * The sandbox never gets the caller's terminal. It has a pseudo-terminal, whose master comes over the launcher's socket; keys and output are
 * relayed. For that the caller's terminal is raw, so that ^C and ^Z are bytes for the inner terminal to make signals of. Raw mode
 * is entered in the foreground only and left on every way out of the run, and around a stop by SIGTSTP.
 */
#ifndef COFFER_ENGINE_TERMINAL_H
#define COFFER_ENGINE_TERMINAL_H

#include "plan/plan.h"

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

enum { TERMINAL_INPUT = 1, TERMINAL_OUTPUT = 2, TERMINAL_ERROR = 4 };

struct terminal {
	unsigned serves;            /* TERMINAL_ bits of the plan's TERMINAL operation; 0: none in this run */
	const struct winsize *size; /* of one whose caller has none, or NULL */
	int caller;                 /* the caller's terminal, borrowed, or -1 */
	int master;                 /* ours, -1 before it has come */
	bool reads_keys;            /* the caller's terminal is the source of input: it is to be raw */
	bool is_raw;
	struct termios before;
};

/* Finds what the plan says, and the caller's terminal among its three descriptors. */
void terminal_init(struct terminal *terminal, const struct plan *plan, const int stdio[3]);
/* Takes the master; gives it the caller's size and modes. */
int terminal_attach(struct terminal *terminal, int master);
/* Raw, where it is to be. False while we are in the background. */
bool terminal_make_raw(struct terminal *terminal);
void terminal_restore(struct terminal *terminal);
/* Passes the caller's size on; the kernel tells those inside by SIGWINCH. */
void terminal_resize(const struct terminal *terminal);
void terminal_done(struct terminal *terminal);

#endif
