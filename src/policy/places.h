/*
 * places.h: what coffer knows about the usual Linux home and host, before anybody writes a rule.
 *
 * places.def is the table. policy_resolve turns its lines into rules (policy_rule.place points back here), so neither the compiler
 * nor the launcher reads it; the documentation is printed from it.
 */
#ifndef COFFER_POLICY_PLACES_H
#define COFFER_POLICY_PLACES_H

#include "policy/policy.h"

#include <stddef.h>

enum place_class {
	PLACE_TOOLCHAIN,    /* readable by default */
	PLACE_CREDENTIAL,   /* hidden in what is readable (filesystem.hideCredentials) */
	PLACE_SHOWN,        /* an exception to the globs of PLACE_CREDENTIAL */
	PLACE_OWN,          /* coffer's: hidden and protected always, whatever the policy says */
	PLACE_PROTECTED,    /* read-only in what is writable (filesystem.protectedPlaces) */
	PLACE_GIT_CONFIG,   /* the same, unless filesystem.allowGitConfig */
	PLACE_INSTRUCTION,  /* the same, unless filesystem.allowAgentInstructions */
	PLACE_FREE,         /* an exception to the globs of the three before it */
	PLACE_SRT_WRITABLE, /* writable in srt's dialect */
	PLACE_CLASSES_END
};

/* Where the path of a place starts. */
enum place_anchor {
	PLACE_ROOT,      /* "/" */
	PLACE_HOME,      /* the caller's home */
	PLACE_WORKSPACE, /* the workspace */
	PLACE_EVERY,     /* every writable directory of the policy, and workspace and home where they are writable */
	PLACE_COFFER,    /* each directory of the policy's `own` */
};

/* Which paths below the anchor are meant. */
enum place_reach {
	PLACE_AT,   /* the one at the anchor, existing or not */
	PLACE_NEST, /* that, and those that exist below it when the run starts, down to search_depth, outside node_modules */
	PLACE_DEEP, /* those at any depth, existing or not */
};

/* What the path names. Only NOT_DIR changes what is enforced. */
enum place_kind {
	PLACE_FILE,
	PLACE_DIR,     /* with all below it */
	PLACE_NOT_DIR, /* a directory of that name is fine */
};

struct place {
	enum place_class class;
	enum place_anchor anchor;
	enum place_reach reach;
	enum place_kind kind;
	const char path[40]; /* below the anchor, or a glob there */
	const char *reason;
};

/* Steps through the table: first call with NULL; NULL at the end. */
const struct place *place_next(const struct place *previous);
/* "default: credential": the provenance of the rules that stand for a place. */
const char *place_why(enum place_class class);
const char *place_class_name(enum place_class class); /* "credential" */

/*
 * The place that the policy hides or, to writers, protects and that is at this path, around it, or right below what it names; NULL: none. For a
 * path that some link led to: rules are derived from the paths that people write, so nothing has been derived for this one.
 */
const struct place *places_meet(const struct policy *policy, const char *path, bool write);

/* Makes filesystem.hidden anew: the rules of coffer's own places, where the policy opens anything that could show them. 0 or -ENOMEM. */
int places_hide(struct policy *policy, struct arena *arena);
/* Makes the derived rules of a policy whose own rules are resolved. Used by policy_resolve and policy_merge. 0 or -ENOMEM. */
int places_derive(struct policy *policy, struct arena *arena);

#endif
