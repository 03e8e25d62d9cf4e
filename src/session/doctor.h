/*
 * doctor.h: what this machine has and lacks for sandboxes, each thing with the command that changes it.
 *
 * The facts say most of it; what only a try can tell is tried, by running one command under the default policy.
 */
#ifndef COFFER_SESSION_DOCTOR_H
#define COFFER_SESSION_DOCTOR_H

#include "base/arena.h"
#include "session/run.h"

enum doctor_health { DOCTOR_FINE, DOCTOR_WEAK, DOCTOR_MISSING };

struct doctor_finding {
	const char *name;
	enum doctor_health health;
	const char *text;
	const char *fix; /* NULL: there is nothing to do, or nothing that would help */
};
VEC(struct doctor_finding, doctor_vec)

/* What the facts alone say. Pure. 0 or -ENOMEM. */
int doctor_examine(const struct facts *facts, struct arena *arena, struct doctor_vec *ret_findings);

/* The rung of the ladder first, as a try shows it; then doctor_examine; then the try itself. */
int doctor_visit(const struct session *session, struct arena *arena, struct doctor_vec *ret_findings, struct err *err);

#endif
