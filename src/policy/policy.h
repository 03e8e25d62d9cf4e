/*
 * policy.h: what is wanted, and nothing about how.
 *
 * A policy is read from settings (read.h), or set field by field, narrowed by profiles (merge.h), checked (check.h), and
 * resolved against a working directory and a home (policy_resolve); only a resolved policy can be compiled. All of it lives in
 * the request's arena. Every rule and every field that somebody set remembers who asked: the provenance that plans and denials show.
 */
#ifndef COFFER_POLICY_POLICY_H
#define COFFER_POLICY_POLICY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/num.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One entry of a path list. `text` is what was written. After policy_resolve `path` is its normal absolute form; for a
 * glob `path` is the literal top above the first component with a glob character, and `glob` the absolute pattern.
 */
struct policy_rule {
	const char *text;
	const char *why; /* "settings.json /filesystem/allowWrite/2", "--write", "default", "profile agent" */
	bool literal;    /* {path, literal: true}: never a pattern */
	const char *path;
	const char *glob;
};
VEC(struct policy_rule, rule_vec)

/*
 * Precedence, on the most specific rule first (the longest path): a rule deeper down wins over one above it; at the same place
 * denyWrite beats allowWrite and allowRead beats denyRead. What no rule covers is readable and not writable, as in
 * srt; coffer's own default is a denyRead of "/" with the toolchain as allowRead. allowWrite implies read.
 */
struct policy_filesystem {
	bool disabled; /* no file rules at all; refused unless the profile allows it */
	struct rule_vec deny_read, allow_read, allow_write, deny_write;
	bool allow_git_config;
	bool mandatory;            /* add the table of places.def: credential places and protected writes. Default true */
	unsigned search_depth;     /* how deep nested repositories and protected names are looked for; 1 to 10, default 3 */
};

enum policy_network_mode { POLICY_NETWORK_OFF, POLICY_NETWORK_HOST };
struct policy_network {
	enum policy_network_mode mode;
	const char *mode_why;
	bool allow_all_unix_sockets;
};

struct policy_process {
	const char *hostname;       /* default "sandbox" */
	unsigned umask;             /* default 022 */
	bool allow_ptrace;          /* ptrace and process_vm_* inside the sandbox's own tree (gdb, strace) */
	bool allow_nested_user_namespaces; /* browsers */
	bool allow_terminal;        /* a pty of its own when the caller has a terminal. Default true */
};

struct policy_variable {
	const char *name, *value; /* value NULL: unset */
	const char *why;
};
VEC(struct policy_variable, variable_vec)

struct policy_environment {
	struct text_vec inherit; /* names, or prefixes ending in "*", taken from the caller */
	struct variable_vec set;
};

/*
 * One table of limits: policy/limits.def is the X-macro with name, unit, default, sentence. NUM_UNLIMITED: none.
 * `why` says who asked, NULL for the default.
 */
enum policy_limit_id {
#define LIMIT(id, key, unit, initial, sentence) POLICY_LIMIT_##id,
#include "policy/limits.def"
#undef LIMIT
	POLICY_LIMITS_END
};
struct policy_limit {
	uint64_t value;
	const char *why;
};

/* The lowest rung of the protection ladder that is accepted, and what must be enforced. */
enum policy_require { POLICY_REQUIRE_ANY, POLICY_REQUIRE_LANDLOCK, POLICY_REQUIRE_NAMESPACES };

struct policy_workspace {
	const char *path; /* where the command works; default the caller's working directory */
	const char *why;
};

enum policy_denials { POLICY_DENIALS_OFF, POLICY_DENIALS_WRITES, POLICY_DENIALS_ALL };

struct policy {
	struct policy_filesystem filesystem;
	struct policy_network network;
	struct policy_process process;
	struct policy_environment environment;
	struct policy_limit limit[POLICY_LIMITS_END];
	struct policy_workspace workspace;
	enum policy_require require;
	const char *require_why;
	bool strict;               /* a weakening that the facts force is an error, not a note */
	enum policy_denials denials; /* which denials are told: filter refusals and writes, or failed reads as well (costs ~2 µs an open) */
};

/* The built-in default of `coffer run`, as product documentation says, before any profile. Returns 0 or -ENOMEM. */
int policy_init(struct policy *policy, struct arena *arena);

/* Adds one path rule as an option or a setter does. list is one of the four vecs of policy->filesystem. */
int policy_add_rule(struct arena *arena, struct rule_vec *list, const char *text, bool literal, const char *why);

/*
 * Fills path and glob of every rule from its text ("~" is home, relative text starts at cwd), and the workspace. Every
 * rule that cannot be (empty, above the root, a user's home by name) is an error that names it. home may be NULL.
 */
int policy_resolve(struct policy *policy, struct arena *arena, const char *cwd, const char *home, struct err *err);

#endif
