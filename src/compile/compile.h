/*
 * compile.h: policy × inputs × facts → plan. A pure function: no system call, no clock, no environment.
 *
 *   compile_questions(…)   which paths must be looked at
 *   engine_survey(…)       (elsewhere) looks
 *   compile(…)             answers with a plan
 *
 * Weakenings that the facts force are notes in the plan, or errors (UNSUPPORTED) under policy.strict.
 */
#ifndef COFFER_COMPILE_COMPILE_H
#define COFFER_COMPILE_COMPILE_H

#include "base/arena.h"
#include "base/err.h"
#include "plan/facts.h"
#include "plan/plan.h"
#include "plan/survey.h"
#include "policy/policy.h"

/* A file of the caller's whose content a sandbox is not to have (policy/credential.h). */
struct input_file {
	const char *path; /* as the policy has it after policy_resolve */
	const char *text;
	size_t n;
};
VEC(struct input_file, input_file_vec)

/* A file that a sandbox has of its own, read-only, in a directory with nothing else in it. */
struct input_own {
	const char *name; /* one component */
	const void *bytes;
	size_t n;
};
VEC(struct input_own, input_own_vec)

/*
 * PEM. Where the policy opens TLS: the authority that a sandbox trusts. There, and where a proxy is spoken to with TLS: whom servers are verified
 * against, and who else may vouch for that proxy.
 */
struct input_tls {
	const char *ca_cert, *ca_key, *roots, *parent_roots;
};

/* A run; a session, in which nothing is executed yet; what is executed in one, whose own plan comes from the same policy and inputs. */
enum compile_kind { COMPILE_RUN, COMPILE_SESSION, COMPILE_EXEC };

/*
 * A working tree. SHARED is the host's own, as the policy's rules have it. The others are the sandbox's: all in it may be written, nothing of that
 * reaches the host, and what must not be read is hidden as before. They need no rule that lets the tree be written.
 *
 * OVERLAY  what is written lands in `upper`; base and layers lie below. Its directories have overlayfs's own form, and nothing else uses upper and
 *          work meanwhile. Where it cannot be, the error is ERR_UNSUPPORTED at COMPILE_WHY_OVERLAY: then the caller makes a stage.
 * STAGE    a copy, which the caller has filled. Names that are hidden from the sandbox are best left out of it.
 */
enum input_workspace_how { INPUT_WORKSPACE_SHARED, INPUT_WORKSPACE_OVERLAY, INPUT_WORKSPACE_STAGE };

struct input_workspace {
	enum input_workspace_how how;
	const char *path;       /* inside; normal, not "/". Mostly the policy's workspace; need not exist on the host */
	const char *base;       /* NULL: nothing; else `path`, or where it leads */
	struct text_vec layers; /* lowest first; at most PLAN_LAYERS_MAX */
	const char *upper, *work,
	    *stage; /* as layers absolute directories of coffer's own, which exist; of the last only those that `how` needs */
};

/* Provenance of what makes such a tree. */
#define COMPILE_WHY_OVERLAY "workspace: overlay"
#define COMPILE_WHY_STAGE "workspace: copy"

/* With what. All strings are borrowed; argv and env are NULL-terminated. */
struct inputs {
	enum compile_kind kind;
	const char *const *argv; /* at least one; argv[0] without a slash is looked up in the sandbox's PATH */
	const char *const *env;  /* the caller's, "NAME=value"; policy.environment chooses from it */
	const char *cwd;         /* normal absolute path, symlinks resolved */
	const char *home;        /* normal absolute path or NULL */
	const char *user;        /* login name or NULL */
	const char *run_id;      /* [a-z0-9]{8,32}: names the cgroup and the scratch directory */
	const char *scratch_top; /* a directory of the caller's own (0700) for rung two's tmp */
	unsigned terminal;       /* bits 1, 2, 4: standard input, output, error are to be a pty */
	bool results;            /* the command has a pipe for them (OP_RESULTS) */
	bool keep_stdin_null;    /* informational */
	const struct survey *survey;
	struct input_tls tls;
	struct input_workspace workspace;
	const char *seed;          /* random text, for placeholders */
	const char *own_directory; /* below /dev, of own_files; NULL: there are none */
	struct input_own_vec own_files;
	struct input_file_vec secret_files; /* those of policy.credentials.files that are masked and are there */
};

/* Which rung of the ladder the facts and the policy give. */
enum compile_rung { COMPILE_RUNG_NAMESPACES = 1, COMPILE_RUNG_LANDLOCK = 2 };

/* Questions for the survey, in the arena. Returns 0, -ENOMEM, or what policy_resolve would. */
int compile_questions(const struct policy *policy, const struct inputs *inputs, const struct facts *facts, struct arena *arena,
                      struct question_vec *ret_questions, struct err *err);

/* The plan, in the arena. Total and deterministic: the same values give the same bytes. */
int compile(const struct policy *policy, const struct inputs *inputs, const struct facts *facts, struct arena *arena, struct plan *ret_plan,
            struct err *err);

/* One of many executions: what differs from the plan of kind EXEC that was made for the session. All of it is borrowed. */
struct compile_again {
	const char *const *argv;           /* at least one */
	const char *const *env;            /* "NAME=value" that come to the variables, or replace them; "NAME": is taken away. NULL: none */
	const char *cwd;                   /* below the template's if it is relative; NULL: the template's */
	unsigned terminal;                 /* as in inputs; only where the template has one */
	uint64_t timeout_ms, output_bytes; /* 0: as in the template */
};

/* The plan of one execution, in the arena. No survey: the session has been made. */
int compile_exec(const struct plan *template, const struct compile_again *again, struct arena *arena, struct plan *ret_plan,
                 struct err *err);

/* What coffer-egress reads of a resolved policy in place of the rules that it was started with: JSON, and more behind a NUL (egress/rules.h). */
enum { COMPILE_RULES_MAX = 1 << 20 };
void compile_network_rules(const struct policy *policy, const struct inputs *inputs, const struct facts *facts, struct arena *arena,
                           struct str *out);

/* Is a proxy behind the filter spoken to with TLS? Then also the file of whom else it may be verified against, or NULL. Of a resolved policy. */
bool compile_parent_has_tls(const struct policy *policy, const struct inputs *inputs, struct arena *arena, const char **ret_ca_path);

/* Whom an egress filter of root's becomes: nobody's user where root may be any, else the sandbox's. 0 stays, where root can be nobody else. */
unsigned compile_filter_uid(uint32_t sandbox_uid);

#endif
