/* inspect.h: many programs, judged by workers that can do nothing else. */
#ifndef COFFER_INSPECT_INSPECT_H
#define COFFER_INSPECT_INSPECT_H

#include "verify/verify.h"

enum { INSPECT_USAGE = 2, INSPECT_FAILED = 3 }; /* exit statuses */

struct program {
	enum verify_language language;
	const char *text;
	size_t n;
};
VEC(struct program, program_vec)

struct inspect {
	struct verify_request request; /* of which each program takes all but the text */
	char *text;                    /* what came in */
	size_t n;
	struct program_vec programs;
};

/* Writes a judgement of each to standard output. A negative errno when that or a worker cannot be had at all. */
int inspect_all(struct inspect *inspect);

/* Gives up all but memory, the descriptors that are open, and the end. */
int inspect_confine(void);

#endif
