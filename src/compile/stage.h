/*
 * stage.h: what the stages of compile() share. Private to src/compile.
 *
 * A compilation is two passes over one value. The first decides: which rung of the ladder (rung.c), what each place of the
 * tree is to the sandbox (rules.c, regions.c), which names must not appear (patterns.c). The second writes operations down, stage
 * by stage, and decides nothing that a path's safety depends on. A function that returns int returns 0, or a negative errno with
 * c->err filled.
 */
#ifndef COFFER_COMPILE_STAGE_H
#define COFFER_COMPILE_STAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "compile/compile.h"
#include "compile/links.h"
#include "compile/mounts.h"
#include "compile/patterns.h"
#include "compile/regions.h"
#include "compile/rules.h"
#include "compile/workspace.h"
#include "plan/build.h"
#include "policy/mask.h"

#include <errno.h>
#include <string.h>

struct compile {
	const struct policy *policy;
	const struct inputs *inputs;
	const struct facts *facts;
	struct arena *arena;
	struct err *err;

	enum compile_rung rung;
	const char *const *environment;   /* the command's, NULL-terminated */
	struct variable_vec placeholders; /* variables whose values are masked; value NULL: it is not there */
	struct input_file_vec fakes;      /* masked files, as the sandbox sees them */
	struct mask mask;
	struct claim_vec claims;         /* the rules */
	struct mark_vec marks;           /* where they land on this host */
	struct region_vec regions;       /* what each place is; sorted, parents first; the first is "/" */
	const char *workspace;           /* where it really is */
	struct own_tree own;             /* what it is in, where that is the sandbox's */
	struct pattern_vec patterns;     /* names for init to guard */
	struct guarded_vec guarded;      /* the single ones among them */
	bool tells, acts, acts_on_opens; /* init reports denials; performs calls that make names; performs every open */
	bool hands_out_sockets;          /* init makes local sockets for programs inside, and connects them */
	struct source_vec sources;       /* host trees, in the order of their slots */
	struct pin_vec pins;             /* sorted */

	struct plan_build plan;
	const char *last_dir;  /* the last directory that the plan makes */
	struct text_vec links; /* the symbolic links that it makes */
};

#define WHY_DEFAULT "default"
#define WHY_NOT_COFFERS "coffer's own data lies there, which no sandbox is shown: choose another directory"

/* compile.c. What the facts take away from what the policy asks for is a note in the plan; under policy.strict an error at `why`. */
int compile_weaken(struct compile *c, const char *why, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int compile_no_memory(struct compile *c);
int compile_add_text(struct compile *c, struct text_vec *list, const char *text);

/* The stages, in the order of the table in compile.c. First what is decided. */
int rung_choose(struct compile *c);
int network_choose(struct compile *c);
int secrets_choose(struct compile *c);
int environment_choose(struct compile *c);
int identity_choose(struct compile *c);
int workspace_choose(struct compile *c);
int identity_choose_workspace(struct compile *c);
int rules_land(struct compile *c);
int workspace_land(struct compile *c);
int workspace_put_quota(struct compile *c);
int barriers_land(struct compile *c);
int fresh_land(struct compile *c);
int regions_make(struct compile *c);
int patterns_make(struct compile *c);
int sockets_choose(struct compile *c);
int workspace_check(struct compile *c);
int identity_check_workspace(struct compile *c);
int mounts_choose_sources(struct compile *c);
int fresh_choose_devices(struct compile *c);
int pins_choose(struct compile *c);

/* Then what is written: PREPARE */
int limits_put_watch(struct compile *c);
int limits_put_cgroups(struct compile *c);
int identity_put_scratch(struct compile *c);
int network_put_filter(struct compile *c);
/* BIRTH */
int limits_put_join(struct compile *c);
int mounts_put_host_sources(struct compile *c);
int identity_put_spawn(struct compile *c);
/* ROOT and PIVOT, on rung one */
int identity_put_ids(struct compile *c);
int mounts_put_root(struct compile *c);
/* SHED */
int identity_put_names(struct compile *c);
int identity_put_terminal(struct compile *c);
int limits_put_rlimits(struct compile *c);
int identity_put_shed(struct compile *c);
/* LOCK and EXEC */
int landlock_put(struct compile *c);
int lock_put(struct compile *c);
int environment_put_exec(struct compile *c);

/* identity.c */
uint32_t identity_uid_inside(const struct compile *c);
uint32_t identity_gid_inside(const struct compile *c);
const char *identity_scratch(struct compile *c); /* rung two's /tmp; NULL: no memory */

/* environment.c */
const char *environment_tmpdir(struct compile *c);                            /* NULL: no memory */
const char *environment_value(const struct compile *c, const char *name);     /* NULL: not set */
const char *environment_of_caller(const struct compile *c, const char *name); /* the same before the policy has chosen */
/* Steps through the absolute paths of PATH; *cursor is NULL at first, *ret_dir at the end. 0 or a negative errno. */
int environment_path_next(struct compile *c, const char **cursor, const char **ret_dir);

/* network.c */
bool network_is_own(const struct compile *c);      /* a network of its own: anything but the host's */
bool network_is_filtered(const struct compile *c); /* with a way out through the egress filter */
bool network_publishes(const struct compile *c);   /* with servers that can be reached from the host */
const char *network_why(const struct compile *c);  /* who asked for it */
void network_put_ways(struct compile *c);
void network_put_wait(struct compile *c);                              /* for the filter */
void network_write_requests(const struct compile *c, struct str *out); /* of the filter's rules: what is judged beyond hosts, if anything */
void network_write_parent(const struct compile *c, struct str *out);   /* the same of a proxy behind the filter */
int network_add_variables(const struct compile *c, struct variable_vec *list); /* 0 or -ENOMEM */

/* secrets.c */
bool secrets_open_tls(const struct compile *c);
void secrets_add_variables(const struct compile *c, struct variable_vec *list); /* where the authority's certificate lies, for programs */
void secrets_write(const struct compile *c, struct str *out);                   /* the part of the filter's rules that nobody is shown */
int secrets_put_files(struct compile *c);
const char *secrets_bundle(struct compile *c); /* whom programs inside trust; NULL: no memory */

/* sockets.c. Is a name in no directory out of the host's reach, and the host's names out of the sandbox's? */
bool sockets_keeps_abstract(const struct compile *c);

/* patterns.c. What keeps init from making calls for others here; NULL: nothing. */
const char *patterns_reason_against(struct compile *c);
/* A rule's glob where links above its first glob character are resolved: that is where names are made. NULL: no memory. */
const char *patterns_real_glob(struct compile *c, const struct policy_rule *rule);

/* A line about exactly this path, and all below it. */
int patterns_add(struct compile *c, char letter, const char *path, const char *why);

/* replaced.c: lines for what lies under a cover that the host can take off, before the exceptions to such lines and after. */
int replaced_guard_hidden(struct compile *c);
int replaced_guard_masked(struct compile *c);

/* fresh.c, covers.c: what they want to know about the host, one path after another; NULL at the end. */
const char *fresh_question(size_t i);
size_t fresh_places(void);          /* how many of them, from the first on, are directories that a sandbox does not share */
const char *fresh_device(size_t i); /* the device nodes that it has; NULL at the end */
const char *covers_question(size_t i);
/* Is the path in a place that the sandbox has of its own? And in one where no rule brings the host's? */
bool fresh_holds(const struct compile *c, const char *path);
bool fresh_owns(const struct compile *c, const char *path);
bool fresh_has(const char *device); /* does every sandbox have it? */
int fresh_put(struct compile *c, const struct region *region, bool in_bare);
int fresh_put_details(struct compile *c);
int covers_put(struct compile *c);

#endif
