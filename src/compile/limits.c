/*
 * Theory of operation. A limit has a best place, a cgroup controller where the facts offer one, and a second best, an rlimit,
 * which counts one process at a time. Whatever falls between the two is said. Wall time, output and processor time in
 * sum are watched by the engine from outside and need no place.
 */
#include "base/path.h"
#include "compile/stage.h"

#include <errno.h>
#include <sys/resource.h>

enum { CGROUPS_MAX = 5, PERIOD_US = 100000, PAGE_BYTES = 4096 };
/*
 * A core of 0 bytes is not written to a file, but it is piped to a program if the host's core_pattern names one, which as the host's root then
 * reads what the sandbox made of its memory. One of 1 byte is neither: a file would be too short, and to the kernel a pipe of 1 means never.
 */
enum { CORE_BYTES = 1 };
enum { MEMLOCK_BYTES = 64 << 20, MSGQUEUE_BYTES = 819200 /* the kernel's own default */, SIGNALS_MOST = 8192 };

#define NOT_LIMITED NUM_UNLIMITED

/* A cgroup that the run needs, for the first of the limits that need it. */
struct cgroup {
	enum plan_cgroup kind;
	const char *dir, *why;
};

struct cgroup_list {
	struct cgroup at[CGROUPS_MAX];
	size_t n;
};

static const char *why_of(const struct compile *c, enum policy_limit_id id)
{
	const char *why = c->policy->limit[id].why;

	return why ? why : WHY_DEFAULT;
}

static uint64_t limit_of(const struct compile *c, enum policy_limit_id id)
{
	return c->policy->limit[id].value;
}

static bool is_limited(const struct compile *c, enum policy_limit_id id)
{
	return limit_of(c, id) != NOT_LIMITED;
}

/* The run's own directory below the caller's cgroup of a controller. */
static const char *own_dir(struct compile *c, const struct facts_controller *controller)
{
	const char *name = arena_printf(c->arena, "coffer-%s", c->inputs->run_id);

	return name ? path_join(c->arena, controller->dir, name) : NULL;
}

static int add_cgroup(struct compile *c, struct cgroup_list *list, const struct facts_controller *controller, struct cgroup cgroup)
{
	if (controller->version == FACTS_CGROUP_NONE)
		return 0;
	cgroup.dir = own_dir(c, controller);
	if (!cgroup.dir)
		return compile_no_memory(c);
	if (controller->version == FACTS_CGROUP_V2)
		cgroup.kind = PLAN_CGROUP_V2;
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i].dir, cgroup.dir) == 0)
			return 0;
	list->at[list->n++] = cgroup;
	return 0;
}

static int list_cgroups(struct compile *c, struct cgroup_list *list)
{
	const struct facts *facts = c->facts;
	int r = 0;

	if (is_limited(c, POLICY_LIMIT_MEMORY))
		r = add_cgroup(c, list, &facts->memory, (struct cgroup){ PLAN_CGROUP_V1_MEMORY, NULL, why_of(c, POLICY_LIMIT_MEMORY) });
	if (r == 0 && is_limited(c, POLICY_LIMIT_PROCESSES))
		r = add_cgroup(c, list, &facts->pids, (struct cgroup){ PLAN_CGROUP_V1_PIDS, NULL, why_of(c, POLICY_LIMIT_PROCESSES) });
	if (r == 0 && is_limited(c, POLICY_LIMIT_CPUS))
		r = add_cgroup(c, list, &facts->cpu, (struct cgroup){ PLAN_CGROUP_V1_CPU, NULL, why_of(c, POLICY_LIMIT_CPUS) });
	if (r == 0 && is_limited(c, POLICY_LIMIT_CPU_TIME)) /* else the engine adds up what procfs shows, and misses who is gone */
		r = add_cgroup(c, list, &facts->cpuacct, (struct cgroup){ PLAN_CGROUP_V1_CPU, NULL, why_of(c, POLICY_LIMIT_CPU_TIME) });
	/* Without a pid namespace a cgroup is the only name for all processes of the run. And a session may be paused. */
	if (r == 0 && (c->rung == COMPILE_RUNG_LANDLOCK || c->inputs->kind == COMPILE_SESSION))
		r = add_cgroup(c, list, &facts->freezer, (struct cgroup){ PLAN_CGROUP_V1_FREEZER, NULL, WHY_DEFAULT });
	return r;
}

static int set(struct compile *c, const struct facts_controller *controller, const char *file, const char *value, const char *why)
{
	const char *dir = own_dir(c, controller);
	const char *path = dir ? path_join(c->arena, dir, file) : NULL;

	if (!path || !value)
		return compile_no_memory(c);
	plan_add(&c->plan, OP_CGROUP_SET, why, path, value);
	return 0;
}

static const char *decimal(struct compile *c, uint64_t n)
{
	return arena_printf(c->arena, "%llu", (unsigned long long)n);
}

/* The kernel rounds down to pages; a value that is whole already reads back as it was written. */
static const char *pages(struct compile *c, uint64_t bytes)
{
	uint64_t whole = bytes / PAGE_BYTES * PAGE_BYTES;

	return decimal(c, whole || bytes == 0 ? whole : PAGE_BYTES);
}

static int put_memory_v2(struct compile *c)
{
	const char *why = why_of(c, POLICY_LIMIT_MEMORY);
	int r = set(c, &c->facts->memory, "memory.max", pages(c, limit_of(c, POLICY_LIMIT_MEMORY)), why);

	if (r == 0)
		r = set(c, &c->facts->memory, "memory.oom.group", "1", why);
	if (r == 0 && is_limited(c, POLICY_LIMIT_SWAP) && c->facts->swap_accounting)
		r = set(c, &c->facts->memory, "memory.swap.max", pages(c, limit_of(c, POLICY_LIMIT_SWAP)), why_of(c, POLICY_LIMIT_SWAP));
	return r;
}

static int put_memory_v1(struct compile *c)
{
	uint64_t memory = limit_of(c, POLICY_LIMIT_MEMORY), swap = limit_of(c, POLICY_LIMIT_SWAP);
	int r = set(c, &c->facts->memory, "memory.limit_in_bytes", pages(c, memory), why_of(c, POLICY_LIMIT_MEMORY));

	if (r == 0 && is_limited(c, POLICY_LIMIT_SWAP) && c->facts->swap_accounting && swap <= NOT_LIMITED - memory - PAGE_BYTES)
		r = set(c, &c->facts->memory, "memory.memsw.limit_in_bytes", pages(c, memory + swap), why_of(c, POLICY_LIMIT_SWAP));
	return r;
}

static int put_memory(struct compile *c)
{
	enum facts_cgroup version = c->facts->memory.version;
	int r = 0;

	if (!is_limited(c, POLICY_LIMIT_MEMORY))
		return 0;
	if (version == FACTS_CGROUP_NONE)
		return compile_weaken(
		    c, why_of(c, POLICY_LIMIT_MEMORY),
		    "memory: no cgroup can be made here, so the limit holds for each process by itself, and swap is not limited");
	r = version == FACTS_CGROUP_V2 ? put_memory_v2(c) : put_memory_v1(c);
	if (r == 0 && is_limited(c, POLICY_LIMIT_SWAP) && !c->facts->swap_accounting)
		r = compile_weaken(c, why_of(c, POLICY_LIMIT_SWAP), "swap: this kernel does not account for it, so it is not limited");
	return r;
}

/* A sandbox of root has a host user of its own; otherwise a new user namespace counts apart, on kernels that do so. */
static bool nproc_counts_the_sandbox(const struct compile *c)
{
	return c->facts->sandbox_uid || (c->rung == COMPILE_RUNG_NAMESPACES && c->facts->rlimit_nproc_per_userns);
}

static int put_processes(struct compile *c)
{
	if (!is_limited(c, POLICY_LIMIT_PROCESSES))
		return 0;
	if (c->facts->pids.version != FACTS_CGROUP_NONE)
		return set(c, &c->facts->pids, "pids.max", decimal(c, limit_of(c, POLICY_LIMIT_PROCESSES)),
		           why_of(c, POLICY_LIMIT_PROCESSES));
	if (nproc_counts_the_sandbox(c))
		return 0;
	return compile_weaken(c, why_of(c, POLICY_LIMIT_PROCESSES),
	                      "processes: no cgroup can be made here, so all processes of this user count, not the sandbox's alone");
}

static int put_cpus(struct compile *c)
{
	const char *why = why_of(c, POLICY_LIMIT_CPUS);
	uint64_t share = limit_of(c, POLICY_LIMIT_CPUS), quota = share * (PERIOD_US / 100);

	if (!is_limited(c, POLICY_LIMIT_CPUS))
		return 0;
	switch (c->facts->cpu.version) {
	case FACTS_CGROUP_V2:
		return set(c, &c->facts->cpu, "cpu.max", arena_printf(c->arena, "%llu %d", (unsigned long long)quota, PERIOD_US), why);
	case FACTS_CGROUP_V1:
		return set(c, &c->facts->cpu, "cpu.cfs_quota_us", decimal(c, quota), why);
	default:
		return compile_weaken(c, why, "cpus: no cgroup can be made here, so the rate of processor time is not limited");
	}
}

int limits_put_watch(struct compile *c)
{
	static const enum policy_limit_id watched[] = { POLICY_LIMIT_TIMEOUT, POLICY_LIMIT_OUTPUT, POLICY_LIMIT_CPU_TIME };
	const char *why = WHY_DEFAULT;

	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		if (c->policy->limit[watched[i]].why)
			why = c->policy->limit[watched[i]].why;
	plan_add(&c->plan, OP_WATCH, why, limit_of(c, POLICY_LIMIT_TIMEOUT), limit_of(c, POLICY_LIMIT_OUTPUT),
	         limit_of(c, POLICY_LIMIT_CPU_TIME), (uint64_t)(c->policy->limit[POLICY_LIMIT_OUTPUT].why != NULL));
	return 0;
}

int limits_put_cgroups(struct compile *c)
{
	struct cgroup_list list = { .n = 0 };
	int r = list_cgroups(c, &list);

	for (size_t i = 0; r == 0 && i < list.n; i++)
		plan_add(&c->plan, OP_CGROUP_MAKE, list.at[i].why, (uint64_t)list.at[i].kind, list.at[i].dir);
	if (r == 0)
		r = put_memory(c);
	if (r == 0)
		r = put_processes(c);
	if (r == 0)
		r = put_cpus(c);
	return r;
}

int limits_put_join(struct compile *c)
{
	struct cgroup_list list = { .n = 0 };
	int r = list_cgroups(c, &list);

	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const char *procs = path_join(c->arena, list.at[i].dir, "cgroup.procs");

		if (!procs)
			return compile_no_memory(c);
		plan_add(&c->plan, OP_CGROUP_JOIN, list.at[i].why, procs);
	}
	return r;
}

static void put_rlimit(struct compile *c, int resource, uint64_t value, const char *why)
{
	plan_add(&c->plan, OP_RLIMIT, why, (uint64_t)resource, value, value);
}

static void put_rlimit_of(struct compile *c, int resource, enum policy_limit_id id)
{
	if (is_limited(c, id))
		put_rlimit(c, resource, limit_of(c, id), why_of(c, id));
}

/* A backstop for each process. The sum is the engine's to watch: SIGXCPU a second before the end is a process's own warning. */
static void put_cpu_time(struct compile *c)
{
	uint64_t ms = limit_of(c, POLICY_LIMIT_CPU_TIME), seconds = ms / 1000 + (ms % 1000 != 0);

	if (is_limited(c, POLICY_LIMIT_CPU_TIME))
		plan_add(&c->plan, OP_RLIMIT, why_of(c, POLICY_LIMIT_CPU_TIME), (uint64_t)RLIMIT_CPU, seconds, seconds + 1);
}

int limits_put_rlimits(struct compile *c)
{
	put_rlimit(c, RLIMIT_CORE, CORE_BYTES, WHY_DEFAULT);
	put_rlimit_of(c, RLIMIT_NOFILE, POLICY_LIMIT_OPEN_FILES);
	put_rlimit_of(c, RLIMIT_FSIZE, POLICY_LIMIT_FILE_SIZE);
	put_cpu_time(c);
	if (c->facts->pids.version == FACTS_CGROUP_NONE || nproc_counts_the_sandbox(c))
		put_rlimit_of(c, RLIMIT_NPROC, POLICY_LIMIT_PROCESSES);
	if (c->facts->memory.version == FACTS_CGROUP_NONE)
		put_rlimit_of(c, RLIMIT_DATA, POLICY_LIMIT_MEMORY);
	put_rlimit(c, RLIMIT_MEMLOCK, MEMLOCK_BYTES, WHY_DEFAULT);
	put_rlimit(c, RLIMIT_MSGQUEUE, MSGQUEUE_BYTES, WHY_DEFAULT);
	put_rlimit(c, RLIMIT_RTPRIO, 0, WHY_DEFAULT); /* what a desktop's audio user may: no share of the processor would hold against it */
	put_rlimit(c, RLIMIT_NICE, 0, WHY_DEFAULT);
	put_rlimit(c, RLIMIT_SIGPENDING, SIGNALS_MOST, WHY_DEFAULT);
	return 0;
}
