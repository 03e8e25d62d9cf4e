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
#include "policy/access.h"
#include "policy/credential.h"
#include "policy/domain.h"
#include "policy/publish.h"

#include <stdbool.h>
#include <stdint.h>

/* Whose documents: unknown keys are errors in coffer's and ignored in srt's, and denyWrite is absolute in srt's. */
enum policy_dialect { POLICY_COFFER, POLICY_SRT };

struct place;

/*
 * One entry of a path list. `text` is what was written. After policy_resolve `path` is its normal absolute form; for a
 * glob `path` is the literal top above the first component with a glob character, and `glob` the absolute pattern.
 */
struct policy_rule {
	const char *text;
	const char *why; /* "settings.json /filesystem/allowWrite/2", "--write", "default: toolchain", "profile agent" */
	bool literal;    /* {path, literal: true}: never a pattern */
	const char *path;
	const char *glob;

	/* Set by policy_resolve alone. */
	const char *name;          /* of a glob: the path that its text spells, when the glob itself does not match it */
	const struct place *place; /* the built-in place that it stands for (places.h), else NULL */
	bool derived;              /* nobody wrote it: policy_resolve makes it anew each time */
	bool optional;             /* an absent path is no error: there is nothing to open or to hide */
	bool existing;             /* counts for what exists when the run starts (globs: down to search_depth), not for later names */
	bool except;               /* takes back what rules with a place in the same list say about exactly this path; with
	                              `existing`, what existing ones say about all below it (a walk need not look there) */
	bool not_directory;        /* a directory made there by mkdir is fine; a file, a link or a rename to that name is not */
};
VEC(struct policy_rule, rule_vec)

/* What can be read where no rule says anything. */
enum policy_view {
	POLICY_VIEW_HOST,      /* everything, as in srt */
	POLICY_VIEW_TOOLCHAIN, /* nothing but the toolchain of places.def and the workspace: coffer's default */
};

/*
 * Precedence: the rule with the longest path decides, for a glob the path that it matched; at the same place denyWrite beats
 * allowWrite and allowRead beats denyRead. What no rule covers is readable and not writable. allowWrite implies read; what
 * cannot be read cannot be written. decide.h is this paragraph as code.
 *
 * Above all of these stand coffer's own places (PLACE_OWN): nothing of them is shown to any sandbox, whatever rule names it.
 *
 * policy_resolve turns the rest of this structure into rules, so that whoever compiles looks at the four lists alone: the view (a denyRead
 * of "/" and the toolchain as allowRead), the workspace (allowRead), credential places (denyRead), protected places (denyWrite).
 */
struct policy_filesystem {
	bool disabled; /* no file rules at all; policy_check refuses it but for srt */
	enum policy_view view;
	const char *view_why;
	struct rule_vec deny_read, allow_read, allow_write, deny_write;
	struct rule_vec hidden; /* set by policy_resolve: coffer's own places, which no other rule opens, not even where there are none */
	bool allow_git_config;
	bool allow_agent_instructions; /* AGENTS.md and its like may be written */
	bool mandatory;                /* the protected places of places.def stay read-only in what is writable. Default true */
	bool hide_credentials;         /* the credential places of places.def stay hidden in what is readable. Default true, in srt false */
	unsigned search_depth;         /* how deep nested repositories and protected names are looked for; 1 to 10, default 3 */
};

struct policy_variable {
	const char *name, *value; /* value NULL: unset */
	const char *why;
};
VEC(struct policy_variable, variable_vec)

/*
 * From narrow to wide. Where nobody says (mode_why NULL), policy_resolve does: filtered when there are allowed domains or the document is
 * srt's, else off.
 */
enum policy_network_mode { POLICY_NETWORK_OFF, POLICY_NETWORK_FILTERED, POLICY_NETWORK_HOST };

/* Who reaches the world for us, where not the filter itself. */
struct policy_mitm {
	const char *socket, *why; /* NULL: nobody */
	struct domain_vec domains;
};
struct policy_ways {
	unsigned http_port, socks_port; /* a proxy on this machine that decides in the filter's place; 0: none */
	const char *ports_why;
	struct variable_vec parent; /* "http", "https", "noProxy" */
	struct policy_mitm mitm;    /* a proxy that reads TLS, for some domains */
};

/* TLS that the filter opens, reads, and closes again towards the server. */
struct policy_tls {
	bool terminate;
	const char *why;
	const char *ca_cert,
	    *ca_key; /* paths of an authority of the caller's own, or NULL both: one is made for each sandbox. policy_resolve makes them absolute */
	struct text_vec extra_cas;          /* more certificates to trust; the same */
	struct domain_vec excluded;         /* hosts whose TLS stays closed */
	unsigned tunnels_max, handshake_ms; /* 0: the default */
};

/* What becomes of a request whose target names another path for those who normalize it. */
enum policy_target { POLICY_TARGET_REFUSE, POLICY_TARGET_AS_SPELLED, POLICY_TARGET_NORMALIZE };

struct policy_network {
	enum policy_network_mode mode;
	const char *mode_why;
	struct domain_rules domains;
	struct variable_vec denied_reasons; /* an entry of the deny list as written, and what its client is told */
	struct text_vec denied_addresses;   /* addresses and ranges that an allowed name must not lead to */
	bool allow_private_addresses;       /* an allowed name may lead to a private network. Default false, in srt true */
	struct rule_vec
	    unix_sockets; /* sockets of the host, or directories of them, that can be connected to; those made inside always can */
	bool allow_all_unix_sockets;
	struct policy_ways ways;
	struct published_vec publish; /* servers inside that can be reached from the host */

	struct policy_tls tls;
	struct access_rule_vec requests;
	struct text_vec stripped_headers; /* of answers */
	enum policy_target ambiguous_target;
	bool refuse_opaque_tunnels, require_host_match, allow_plaintext_header_set;
};

struct policy_credentials {
	struct credential_vec files, variables;
	bool allow_plaintext_inject;
};

struct policy_process {
	const char *hostname;              /* default "sandbox"; NULL: nobody said */
	unsigned umask;                    /* default 022 */
	bool allow_ptrace;                 /* ptrace and process_vm_* inside the sandbox's own tree (gdb, strace) */
	bool allow_nested_user_namespaces; /* browsers */
	bool allow_terminal;               /* a pty of its own when the caller has a terminal. Default true */
};

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
	const char *path; /* where the command works; default the caller's working directory. Normal after policy_resolve */
	const char *text; /* as written, NULL when nobody did */
	const char *why;
	const char *alias; /* NULL, or a path inside that leads there as well: normal after policy_resolve */
	const char *alias_text;
	const char *alias_why;
};

/* Denials that nobody wants to hear of: of commands that hold the first text, those that hold one of the others. */
struct policy_ignored {
	const char *command; /* "*": of all */
	struct text_vec parts;
};
VEC(struct policy_ignored, ignored_vec)

enum policy_denials { POLICY_DENIALS_OFF, POLICY_DENIALS_WRITES, POLICY_DENIALS_ALL };

struct policy {
	enum policy_dialect dialect;
	const char *profile; /* the name of the built-in profile that a document asks for, or NULL; profiles.h applies it */
	struct policy_filesystem filesystem;
	struct policy_network network;
	struct policy_process process;
	struct policy_environment environment;
	struct policy_credentials credentials;
	struct policy_limit limit[POLICY_LIMITS_END];
	struct policy_workspace workspace;
	enum policy_require require;
	const char *require_why;
	bool strict;                 /* a weakening that the facts force is an error, not a note */
	enum policy_denials denials; /* which denials are told: filter refusals and writes, or failed reads as well (costs ~2 µs an open) */
	struct ignored_vec ignored;  /* what is counted and not told. A request that tightens neither adds to it nor takes from it */
	const char *home;            /* set by policy_resolve: what "~" meant, or NULL */
	struct text_vec settings;    /* the files that it was read from; normal paths: kept read-only like protected places */
	struct text_vec own; /* directories where coffer keeps what it knows of sandboxes; normal paths, links as named and as they lead */
	uint64_t given[2];   /* which fields a reader or an option has set: a bit each, in the order of schema.h */
	const struct policy *tighten; /* a request that policy_resolve merges into this policy (merge.h), and so on from there */
};

/* The built-in default of `coffer run`, as product documentation says, before any profile. Returns 0 or -ENOMEM. */
int policy_init(struct policy *policy, struct arena *arena);
/* The built-in default of `srt`: all reads, no writes, no network, the caller's environment, no limits. */
int policy_init_srt(struct policy *policy, struct arena *arena);
/* A request that asks for nothing: what policy_merge (merge.h) leaves any policy unchanged with. */
void policy_init_request(struct policy *policy);

/* Adds one path rule as an option or a setter does. list is one of the four vecs of policy->filesystem. */
int policy_add_rule(struct arena *arena, struct rule_vec *list, const char *text, bool literal, const char *why);

/* A pattern from "/" or "~" that ends in a slash: as a deny it would deny nothing in srt, whose documents may not hold it. */
bool policy_rule_is_inert(const struct policy_rule *rule);

/*
 * Fills path and glob of every rule from its text ("~" is home, relative text starts at cwd), and the workspace; then makes the derived
 * rules. Every rule that cannot be (empty, above the root, a user's home by name) is an error that names it. home may be
 * NULL. May be called again: with the same cwd and home it changes nothing. On failure the policy is as before.
 *
 * Text with `*`, `?` or a bracket set is a pattern and also the name that it spells (literal: only the name). Brackets
 * that form no set, like those of list[].ts, are text. A trailing slash and a trailing slash-star-star say nothing, but for a deny pattern that
 * starts and ends with a slash, which would deny nothing in srt and is an error here.
 */
int policy_resolve(struct policy *policy, struct arena *arena, const char *cwd, const char *home, struct err *err);

#endif
