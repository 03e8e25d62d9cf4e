#include "session/receipt.h"

#include "base/own.h"
#include "compile/compile.h"
#include "plan/print.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

static const struct {
	uint64_t flag;
	const char *name;
} namespaces[] = {
	{ CLONE_NEWUSER, "user" }, { CLONE_NEWNS, "mount" }, { CLONE_NEWPID, "pid" },       { CLONE_NEWNET, "net" },
	{ CLONE_NEWIPC, "ipc" },   { CLONE_NEWUTS, "uts" },  { CLONE_NEWCGROUP, "cgroup" },
};

static const char *const limit_names[POLICY_LIMITS_END] = {
#define LIMIT(id, key, unit, initial, sentence) [POLICY_LIMIT_##id] = key,
#include "policy/limits.def"
#undef LIMIT
};

/* Which file of a cgroup shows that a limit is in force. */
static const struct {
	enum policy_limit_id limit;
	const char *file, *backend;
} cgroup_evidence[] = {
	{ POLICY_LIMIT_MEMORY, "/memory.max", "cgroup2" },
	{ POLICY_LIMIT_MEMORY, "/memory.limit_in_bytes", "cgroup1" },
	{ POLICY_LIMIT_SWAP, "/memory.swap.max", "cgroup2" },
	{ POLICY_LIMIT_SWAP, "/memory.memsw.limit_in_bytes", "cgroup1" },
	{ POLICY_LIMIT_SWAP, "/memory.swappiness", "cgroup1" },
	{ POLICY_LIMIT_PROCESSES, "/pids.max", NULL /* the same name in both versions */ },
	{ POLICY_LIMIT_CPUS, "/cpu.max", "cgroup2" },
	{ POLICY_LIMIT_CPUS, "/cpu.cfs_quota_us", "cgroup1" },
};

/* Which resource limit does. Weaker than a cgroup's: it never takes the place of one that was found. */
static const struct {
	enum policy_limit_id limit;
	uint64_t resource;
} rlimit_evidence[] = {
	{ POLICY_LIMIT_MEMORY, RLIMIT_DATA },     { POLICY_LIMIT_MEMORY, RLIMIT_AS },         { POLICY_LIMIT_PROCESSES, RLIMIT_NPROC },
	{ POLICY_LIMIT_FILE_SIZE, RLIMIT_FSIZE }, { POLICY_LIMIT_OPEN_FILES, RLIMIT_NOFILE },
};

/* Operands of WATCH, in order. */
static const enum policy_limit_id watched[] = { POLICY_LIMIT_TIMEOUT, POLICY_LIMIT_OUTPUT, POLICY_LIMIT_CPU_TIME };

const char *receipt_rung_name(enum receipt_rung rung)
{
	return rung == RECEIPT_NAMESPACES ? "namespaces" : "landlock";
}

const char *receipt_limit_name(enum policy_limit_id id)
{
	return (unsigned)id < POLICY_LIMITS_END ? limit_names[id] : NULL;
}

/* One receipt while it is written. */
struct audit {
	struct receipt receipt;
	const struct plan *plan;
	const struct facts *facts;
	struct arena *arena;
	bool told;
	bool failed;
};

static void add_text(struct audit *audit, struct text_vec *list, const char *text)
{
	const char **slot = text_vec_add(list, audit->arena);
	if (slot)
		*slot = text;
	else
		audit->failed = true;
}

static void enforced_by(struct audit *audit, enum policy_limit_id limit, const char *backend)
{
	struct receipt_limit *entry = &audit->receipt.limit[limit];
	if (!entry->backend)
		entry->backend = backend;
}

static void see_spawn(struct audit *audit, const struct plan_op *op)
{
	uint64_t flags = plan_number(op, 0);
	audit->receipt.rung = flags ? RECEIPT_NAMESPACES : RECEIPT_LANDLOCK;
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++)
		if (flags & namespaces[i].flag)
			add_text(audit, &audit->receipt.namespaces, namespaces[i].name);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n >= m && memcmp(text + n - m, end, m) == 0;
}

static void see_cgroup(struct audit *audit, const struct plan_op *op)
{
	const char *file = plan_text(audit->plan, op, 0);
	const char *pids = audit->facts->pids.version == FACTS_CGROUP_V1 ? "cgroup1" : "cgroup2";
	for (size_t i = 0; i < ARRAY_LEN(cgroup_evidence); i++)
		if (ends_with(file, cgroup_evidence[i].file))
			enforced_by(audit, cgroup_evidence[i].limit, cgroup_evidence[i].backend ? cgroup_evidence[i].backend : pids);
}

static void see_rlimit(struct audit *audit, const struct plan_op *op)
{
	for (size_t i = 0; i < ARRAY_LEN(rlimit_evidence); i++)
		if (plan_number(op, 0) == rlimit_evidence[i].resource)
			enforced_by(audit, rlimit_evidence[i].limit, "rlimit");
}

static void see_watch(struct audit *audit, const struct plan_op *op)
{
	for (unsigned i = 0; i < ARRAY_LEN(watched); i++)
		if (plan_number(op, i) != NUM_UNLIMITED)
			enforced_by(audit, watched[i], "watch");
}

static void see_quota(struct audit *audit, const struct plan_op *op)
{
	if (plan_number(op, 1) != NUM_UNLIMITED)
		enforced_by(audit, POLICY_LIMIT_WORKSPACE_SIZE, "survey");
	if (plan_number(op, 2) != NUM_UNLIMITED)
		enforced_by(audit, POLICY_LIMIT_WORKSPACE_FILES, "survey");
}

static void see_tmpfs(struct audit *audit, const struct plan_op *op)
{
	if (strcmp(plan_text(audit->plan, op, 0), "/tmp") != 0)
		return;
	enforced_by(audit, POLICY_LIMIT_TMP, "tmpfs");
	enforced_by(audit, POLICY_LIMIT_TMP_INODES, "tmpfs");
}

static void see_landlock(struct audit *audit, const struct plan_op *op)
{
	audit->receipt.landlock_abi = (uint32_t)plan_number(op, 0);
}

static void see_init(struct audit *audit, const struct plan_op *op)
{
	audit->told = plan_number(op, 1) & PLAN_INIT_TELL;
}

static void see_seccomp(struct audit *audit, const struct plan_op *op)
{
	size_t len = 0;
	(void)plan_blob(audit->plan, op, 0, &len);
	audit->receipt.seccomp_instructions = (uint32_t)(len / 8); /* sizeof(struct sock_filter) */
}

static void see_overlay(struct audit *audit, const struct plan_op *op)
{
	(void)op;
	audit->receipt.workspace = "overlay";
}

/* A copy is known by who asked for its tree, or on rung two for the right to write there. */
static void see_workspace(struct audit *audit, const struct plan_op *op)
{
	if (strcmp(plan_why(audit->plan, op), COMPILE_WHY_STAGE) == 0)
		audit->receipt.workspace = "copy";
}

static void see_landlock_path(struct audit *audit, const struct plan_op *op)
{
	see_workspace(audit, op);
	audit->receipt.landlock_rules++;
}

static void (*const see[OP_CODES_END])(struct audit *audit, const struct plan_op *op) = {
	[OP_SPAWN] = see_spawn, [OP_CGROUP_SET] = see_cgroup,      [OP_RLIMIT] = see_rlimit,   [OP_WATCH] = see_watch,
	[OP_TMPFS] = see_tmpfs, [OP_LANDLOCK_OPEN] = see_landlock, [OP_INIT] = see_init,       [OP_LANDLOCK_PATH] = see_landlock_path,
	[OP_QUOTA] = see_quota, [OP_SECCOMP] = see_seccomp,        [OP_OVERLAY] = see_overlay, [OP_PLACE] = see_workspace,
};

/* Cgroups first: see_rlimit leaves alone what they enforce. PREPARE, where they are made, comes first in every plan. */
static void see_all(struct audit *audit)
{
	const struct plan *plan = audit->plan;
	for (uint32_t i = 0; i < plan->head->op_count; i++)
		if (see[plan->op[i].code])
			see[plan->op[i].code](audit, &plan->op[i]);
	for (uint32_t i = 0; i < plan->head->note_count; i++)
		add_text(audit, &audit->receipt.notes, plan_note(plan, i));
}

static void list_untold(struct audit *audit, const struct policy *policy)
{
	struct text_vec *untold = &audit->receipt.untold;
	if (policy->denials == POLICY_DENIALS_OFF)
		add_text(audit, untold, "any: the policy turns denials off");
	else if (!audit->told)
		add_text(audit, untold, "any: this kernel cannot hand refused calls to a supervisor");
	if (!audit->told)
		return;
	if (audit->facts->tracing_why)
		add_text(audit, untold, "what names a path, an address or a process: init cannot read it here");
	if (policy->denials == POLICY_DENIALS_WRITES)
		add_text(audit, untold, "opens for reading that fail (denials: all tells them)");
	add_text(audit, untold, "look-ups of names that do not exist inside");
	add_text(audit, untold, "what the permissions of a file itself refuse");
	add_text(audit, untold, "datagrams on a connected socket");
}

int receipt_make(const struct plan *plan, const struct policy *policy, const struct facts *facts, struct arena *arena,
                 struct receipt *ret_receipt)
{
	struct audit audit = { .plan = plan, .facts = facts, .arena = arena };
	struct receipt *receipt = &audit.receipt;
	for (size_t i = 0; i < POLICY_LIMITS_END; i++)
		receipt->limit[i].value = policy->limit[i].value;
	see_all(&audit);
	list_untold(&audit, policy);
	plan_digest(plan, receipt->digest);
	if (!receipt->workspace)
		receipt->workspace = "shared";
	receipt->kernel = facts->kernel;
	receipt->arch = facts->arch;
	receipt->why_not_first = receipt->rung == RECEIPT_LANDLOCK ? facts->user_namespaces_why : NULL;
	if (audit.failed)
		return -ENOMEM;
	*ret_receipt = *receipt;
	return 0;
}

static void print_list(const char *name, const struct text_vec *list, struct str *out)
{
	str_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < list->n; i++) {
		str_add(out, i ? "," : "");
		str_add_json_text(out, list->at[i]);
	}
	str_add_char(out, ']');
}

static void print_limits(const struct receipt *receipt, struct str *out)
{
	const char *comma = "";
	str_add(out, ",\"limits\":{");
	for (size_t i = 0; i < POLICY_LIMITS_END; i++) {
		if (receipt->limit[i].value == NUM_UNLIMITED)
			continue;
		str_printf(out, "%s\"%s\":{\"value\":%llu,\"by\":", comma, limit_names[i], (unsigned long long)receipt->limit[i].value);
		str_add_json_text(out, receipt->limit[i].backend);
		str_add_char(out, '}');
		comma = ",";
	}
	str_add_char(out, '}');
}

void receipt_print_json(const struct receipt *receipt, struct str *out)
{
	str_printf(out, "{\"rung\":\"%s\",\"why_not_first\":", receipt_rung_name(receipt->rung));
	str_add_json_text(out, receipt->why_not_first);
	str_printf(out, ",\"workspace\":\"%s\"", receipt->workspace);
	print_list("namespaces", &receipt->namespaces, out);
	str_printf(out, ",\"landlock_abi\":%u,\"landlock_rules\":%u,\"seccomp_instructions\":%u", receipt->landlock_abi,
	           receipt->landlock_rules, receipt->seccomp_instructions);
	print_limits(receipt, out);
	print_list("notes", &receipt->notes, out);
	print_list("denials_untold", &receipt->untold, out);
	str_printf(out, ",\"plan\":\"sha256:%s\",\"kernel\":", receipt->digest);
	str_add_json_text(out, receipt->kernel);
	str_add(out, ",\"arch\":");
	str_add_json_text(out, receipt->arch);
	str_add_char(out, '}');
}
