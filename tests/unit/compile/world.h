/*
 * world.h: a policy, a machine and a described host (golden/host.h), from settings to plan, for the tests of this folder.
 *
 *     struct world w;
 *     world_init(&w);
 *     world_allow_write(&w, "/home/u/ws");
 *     assert_int_equal(world_compile(&w), 0);
 *     assert_true(world_has(&w, OP_REBIND, "/home/u/ws/.git"));
 *     world_done(&w);
 */
#ifndef COFFER_TESTS_UNIT_COMPILE_WORLD_H
#define COFFER_TESTS_UNIT_COMPILE_WORLD_H

#include "compile/compile.h"
#include "golden/host.h"
#include "unit/unit.h"

enum { WORLD_ARENA_MAX = 256 << 20 };

#define WORLD_HOST                                                                                                    \
	"d 0755 0 0 /\nl 0777 0 0 /bin -> usr/bin\nd 0755 0 0 /dev\nc 0666 0 0 /dev/null\nc 0666 0 0 /dev/tty\n"      \
	"d 0755 0 0 /etc\nf 0644 0 0 /etc/passwd\nf 0644 0 0 /etc/group\nf 0640 0 42 /etc/shadow\n"                   \
	"f 0644 0 0 /etc/hosts\nf 0644 0 0 /etc/hostname\nf 0644 0 0 /etc/resolv.conf\n"                              \
	"d 0755 0 0 /home\nd 0755 1000 1000 /home/u\nd 0755 1000 1000 /home/u/ws\nf 0644 1000 1000 /home/u/ws/file\n" \
	"d 0755 1000 1000 /home/u/ws/.git\nf 0644 1000 1000 /home/u/ws/.git/config\n"                                 \
	"d 0755 1000 1000 /home/u/ws/sub\nf 0644 1000 1000 /home/u/ws/sub/file\n"                                     \
	"d 0755 0 0 /proc\nf 0444 0 0 /proc/keys\nf 0444 0 0 /proc/meminfo\nd 0755 0 0 /run\nd 0755 0 0 /sys\n"       \
	"d 1777 0 0 /tmp\nd 0755 0 0 /usr\nd 0755 0 0 /usr/bin\nf 0755 0 0 /usr/bin/tool\nd 0755 0 0 /var\n"          \
	"d 1777 0 0 /var/tmp\n"

struct world {
	struct arena arena;
	struct facts facts;
	struct policy policy;
	struct host_tree host;
	struct survey survey;
	struct question_vec questions;
	struct inputs inputs;
	struct plan plan;
	struct err err;
};

static const char *const world_argv[] = { "tool", "argument", NULL };
static const char *const world_env[] = { "PATH=/usr/bin", "HOME=/home/u", "SECRET=x", NULL };

/* A recent kernel, an ordinary user, a delegated cgroup. */
static inline struct facts world_facts(void)
{
	const struct facts_controller v2 = { FACTS_CGROUP_V2, "/sys/fs/cgroup/mine" };

	return (struct facts){
		.kernel = "6.18.0",
		.arch = "x86_64",
		.uid = 1000,
		.gid = 1000,
		.user_namespaces = true,
		.landlock_abi = 7,
		.seccomp_notify = true,
		.mount_api = true,
		.nftables = true,
		.proc_mountable = true,
		.rlimit_nproc_per_userns = true,
		.memory = v2,
		.pids = v2,
		.cpu = v2,
		.freezer = v2,
		.cgroup_kill = true,
		.swap_accounting = true,
		.cpus = 4,
		.memory_bytes = 16ull << 30,
	};
}

static inline void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	arena_init(&w->arena, WORLD_ARENA_MAX);
	w->facts = world_facts();
	w->host.arena = &w->arena;
	w->inputs = (struct inputs){
		.argv = world_argv,
		.env = world_env,
		.cwd = "/home/u/ws",
		.home = "/home/u",
		.user = "u",
		.run_id = "0123456789ab",
		.scratch_top = "/var/tmp/coffer-1000",
		.survey = &w->survey,
	};
	assert_int_equal(policy_init(&w->policy, &w->arena), 0);
}

static inline void world_done(struct world *w)
{
	arena_done(&w->arena);
}

static inline void world_become_root(struct world *w)
{
	w->facts.uid = w->facts.gid = 0;
	w->facts.root = w->facts.idmapped_mounts = true;
	w->facts.sandbox_uid = 2081361920;
}

/* Root as a container engine has it: may be anybody, but not mount. */
static inline void world_become_container_root(struct world *w)
{
	world_become_root(w);
	w->facts.first_user_namespace = true;
	w->facts.root = w->facts.idmapped_mounts = false;
}

static inline void world_lose_namespaces(struct world *w)
{
	w->facts.user_namespaces = false;
	w->facts.user_namespaces_why = "kernel.apparmor_restrict_unprivileged_userns=1";
}

static inline void world_rule(struct world *w, struct rule_vec *list, const char *text)
{
	assert_int_equal(policy_add_rule(&w->arena, list, text, false, "--rule"), 0);
}

static inline void world_allow_write(struct world *w, const char *text)
{
	world_rule(w, &w->policy.filesystem.allow_write, text);
}

static inline void world_allow_read(struct world *w, const char *text)
{
	world_rule(w, &w->policy.filesystem.allow_read, text);
}

static inline void world_deny_write(struct world *w, const char *text)
{
	world_rule(w, &w->policy.filesystem.deny_write, text);
}

static inline void world_deny_read(struct world *w, const char *text)
{
	world_rule(w, &w->policy.filesystem.deny_read, text);
}

/* More lines for the host's table. Without any the host is WORLD_HOST alone. */
static inline void world_add(struct world *w, const char *table)
{
	if (w->host.nodes.n == 0)
		host_read(&w->host, WORLD_HOST);
	host_read(&w->host, table);
}

static inline int world_compile(struct world *w)
{
	int r = policy_resolve(&w->policy, &w->arena, w->inputs.cwd, w->inputs.home, &w->err);

	world_add(w, "");
	w->host.uid = w->facts.uid;
	w->host.gid = w->facts.gid;
	if (r == 0)
		r = compile_questions(&w->policy, &w->inputs, &w->facts, &w->arena, &w->questions, &w->err);
	if (r < 0)
		return r;
	host_survey(&w->host, &w->questions, &w->survey);
	return compile(&w->policy, &w->inputs, &w->facts, &w->arena, &w->plan, &w->err);
}

/* Which operand is the operation's path; -1: none. */
static inline int world_path_operand(const struct plan_op *op)
{
	const char *kinds = plan_op_info(op->code)->operands;
	size_t n = strcspn(kinds, "ph");

	return kinds[n] ? (int)n : -1;
}

/* The first operation of this code (at this path, unless NULL), or NULL. */
static inline const struct plan_op *world_find(const struct world *w, enum plan_opcode code, const char *path)
{
	for (uint32_t i = 0; i < w->plan.head->op_count; i++) {
		const struct plan_op *op = &w->plan.op[i];
		int operand = world_path_operand(op);

		if (op->code == code && (!path || (operand >= 0 && strcmp(plan_text(&w->plan, op, (unsigned)operand), path) == 0)))
			return op;
	}
	return NULL;
}

static inline bool world_has(const struct world *w, enum plan_opcode code, const char *path)
{
	return world_find(w, code, path) != NULL;
}

static inline size_t world_count(const struct world *w, enum plan_opcode code)
{
	size_t n = 0;

	for (uint32_t i = 0; i < w->plan.head->op_count; i++)
		n += w->plan.op[i].code == code;
	return n;
}

static inline bool world_notes(const struct world *w, const char *part)
{
	for (uint32_t i = 0; i < w->plan.head->note_count; i++)
		if (strstr(plan_note(&w->plan, i), part))
			return true;
	return false;
}

/* Is the line, letter first, among init's patterns? */
static inline bool world_guards(const struct world *w, const char *line)
{
	const struct plan_op *init = world_find(w, OP_INIT, NULL);

	for (const char *s = NULL; (s = plan_list_next(&w->plan, init, 3, s));)
		if (strcmp(s, line) == 0)
			return true;
	return false;
}

#endif
