#include "session/doctor.h"

#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DOCTOR_TRY_MS = 10000 };

/* Fixes. Written for Debian and Ubuntu, and meant to be pasted. */
static const char newer_kernel[] = "sudo apt-get install -t \"$(lsb_release -cs)-backports\" linux-image-amd64 && sudo reboot";
static const char enable_landlock[] =
    "echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX lsm=landlock,lockdown,yama,integrity,apparmor,bpf\"' | "
    "sudo tee /etc/default/grub.d/landlock.cfg && sudo update-grub && sudo reboot";
static const char delegate_cgroups[] =
    "sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu memory pids\\n' | "
    "sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload && "
    "systemd-run --user --scope -p Delegate=yes coffer doctor";
static const char account_swap[] = "echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX swapaccount=1\"' | "
				   "sudo tee /etc/default/grub.d/swap.cfg && sudo update-grub && sudo reboot";

static struct doctor_finding fine(const char *text)
{
	return (struct doctor_finding){ .health = DOCTOR_FINE, .text = text };
}

static struct doctor_finding weak(const char *text, const char *fix)
{
	return (struct doctor_finding){ .health = DOCTOR_WEAK, .text = text, .fix = fix };
}

static struct doctor_finding find_user_namespaces(const struct facts *facts, struct arena *arena)
{
	(void)arena;
	if (facts->user_namespaces)
		return fine("any user may make them");
	return (struct doctor_finding){ .health = DOCTOR_MISSING,
		                        .text = facts->user_namespaces_why ? facts->user_namespaces_why : "the kernel refuses them",
		                        .fix = facts_user_namespaces_fix(facts) };
}

static struct doctor_finding find_landlock(const struct facts *facts, struct arena *arena)
{
	if (facts->landlock_abi == 0 && !facts->user_namespaces)
		return (struct doctor_finding){ .health = DOCTOR_MISSING,
			                        .text = "absent: without it and namespaces nothing can be run",
			                        .fix = enable_landlock };
	if (facts->landlock_abi == 0)
		return weak("absent: there is no second wall behind the mounts", enable_landlock);
	if (facts->landlock_abi < 6)
		return weak(arena_printf(arena, "ABI %u: no scopes for signals and abstract sockets (6)%s", facts->landlock_abi,
		                         facts->landlock_abi < 4 ? ", no TCP rules (4)" : ""),
		            newer_kernel);
	return fine(arena_printf(arena, "ABI %u", facts->landlock_abi));
}

static struct doctor_finding find_notify(const struct facts *facts, struct arena *arena)
{
	if (facts->seccomp_notify && facts->tracing_why)
		return weak(arena_printf(arena,
		                         "init cannot read what a call names (%s): few denials are told, and protected names that do not "
		                         "exist yet are not covered",
		                         facts->tracing_why),
		            strstr(facts->tracing_why, "yama")
		                ? "sudo sysctl -w kernel.yama.ptrace_scope=1"
		                : "run the container with a seccomp profile that allows process_vm_readv and openat2");
	if (facts->seccomp_notify)
		return fine("denials can be told, and names that do not exist yet protected");
	return weak(
	    "absent: refusals are enforced but cannot be told, and protected names that do not exist yet are not covered (Linux 5.14)",
	    newer_kernel);
}

static struct doctor_finding find_mount_api(const struct facts *facts, struct arena *arena)
{
	(void)arena;
	return facts->mount_api ? fine("open_tree, move_mount, mount_setattr")
	                        : weak("absent: the older mount calls are used, which are slower and look paths up more often (Linux 5.12)",
	                               newer_kernel);
}

static struct doctor_finding find_proc(const struct facts *facts, struct arena *arena)
{
	(void)arena;
	return facts->proc_mountable
	           ? fine("the sandbox sees its own processes")
	           : weak("a fresh procfs cannot be mounted here, for parts of this one are covered: the sandbox gets none",
	                  "run the container with an uncovered /proc: docker run --security-opt systempaths=unconfined …");
}

static struct doctor_finding find_ids(const struct facts *facts, struct arena *arena)
{
	if (facts->uid == 0 && facts->first_user_namespace && !facts->sandbox_uid)
		return (struct doctor_finding){ .health = DOCTOR_MISSING,
			                        .text = "root without the capabilities to be another user: nothing is run as root",
			                        .fix = "run coffer as an ordinary user: docker run --user 1000:1000 …" };
	if (!facts->sandbox_uid)
		return fine("the sandbox runs as this user, without any privilege");
	if (!facts->root)
		return weak("started by root, the sandbox runs as an id of its own, to which root without CAP_SYS_ADMIN cannot map files",
		            "run coffer as the user whose files it is for: docker run --user 1000:1000 …");
	if (facts->idmapped_mounts)
		return fine(arena_printf(arena, "started by root, the sandbox runs as an id of its own from %u up", facts->sandbox_uid));
	return weak("started by root, the sandbox runs as an id of its own, to which this kernel cannot map root's files (Linux 5.12)",
	            newer_kernel);
}

static struct doctor_finding find_controller(const struct facts_controller *controller, const char *otherwise, struct arena *arena)
{
	if (controller->version == FACTS_CGROUP_NONE)
		return weak(otherwise, delegate_cgroups);
	return fine(arena_printf(arena, "cgroup version %d, below %s", controller->version == FACTS_CGROUP_V2 ? 2 : 1, controller->dir));
}

static struct doctor_finding find_memory(const struct facts *facts, struct arena *arena)
{
	return find_controller(&facts->memory,
	                       "no cgroup for memory may be made here: the limit holds for each process, not for all together", arena);
}

static struct doctor_finding find_pids(const struct facts *facts, struct arena *arena)
{
	return find_controller(&facts->pids, "no cgroup for processes may be made here: a resource limit counts them", arena);
}

static struct doctor_finding find_cpu(const struct facts *facts, struct arena *arena)
{
	return find_controller(&facts->cpu, "no cgroup for processors may be made here: limits.cpus cannot be enforced", arena);
}

static struct doctor_finding find_swap(const struct facts *facts, struct arena *arena)
{
	(void)arena;
	return facts->swap_accounting ? fine("counted")
	                              : weak("not counted: a sandbox at its memory limit may go on in swap", account_swap);
}

static const struct {
	const char *name;
	struct doctor_finding (*find)(const struct facts *facts, struct arena *arena);
} checks[] = {
	{ "user namespaces", find_user_namespaces },
	{ "Landlock", find_landlock },
	{ "seccomp notification", find_notify },
	{ "mount API", find_mount_api },
	{ "procfs", find_proc },
	{ "ids", find_ids },
	{ "memory limit", find_memory },
	{ "process limit", find_pids },
	{ "processor limit", find_cpu },
	{ "swap limit", find_swap },
};

static int add(struct doctor_vec *findings, struct arena *arena, const char *name, struct doctor_finding finding)
{
	struct doctor_finding *slot = doctor_vec_add(findings, arena);
	if (!slot || !finding.text)
		return -ENOMEM;
	finding.name = name;
	*slot = finding;
	return 0;
}

int doctor_examine(const struct facts *facts, struct arena *arena, struct doctor_vec *ret_findings)
{
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		if (add(ret_findings, arena, checks[i].name, checks[i].find(facts, arena)) < 0)
			return -ENOMEM;
	return 0;
}

/* One command under the default policy. On success *ret_result has the facts of the rung that worked. */
static int try_one(const struct session *session, struct arena *arena, struct session_result *ret_result, struct err *err)
{
	static const char *const env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	struct policy policy;
	if (policy_init(&policy, arena) < 0)
		return err_set(err, ERR_LIMIT, ENOMEM, "out of memory");
	policy.limit[POLICY_LIMIT_TIMEOUT].value = DOCTOR_TRY_MS;
	const struct session_request request = session_request_plain(&policy, env, "/usr");
	int r = session_run(session, &request, arena, ret_result, err);
	if (r == 0 && ret_result->outcome.exit_code != 0)
		r = err_set(err, ERR_SETUP, EIO, "\"true\" ended with status %d", ret_result->outcome.exit_code);
	return r;
}

static struct doctor_finding find_rung(int tried, const struct session_result *result)
{
	if (tried < 0)
		return (struct doctor_finding){ .health = DOCTOR_MISSING, .text = "none: nothing can be run in a sandbox here" };
	if (result->facts.user_namespaces)
		return fine("rung 1 of 2: namespaces and mounts, seccomp, Landlock, cgroups");
	return (struct doctor_finding){ .health = DOCTOR_MISSING,
		                        .text =
		                            "rung 2 of 2: Landlock and seccomp alone; `--require namespaces` would refuse to run here" };
}

static struct doctor_finding find_try(int tried, const struct session_result *result, const struct err *err, struct arena *arena)
{
	if (tried < 0)
		return (struct doctor_finding){ .health = DOCTOR_MISSING,
			                        .text = arena_printf(arena, "%s%s%s", err->where, *err->where ? ": " : "", err->text) };
	return fine(arena_printf(arena, "a command ran in a sandbox and ended, in %llu.%llu ms",
	                         (unsigned long long)result->outcome.duration_us / 1000,
	                         (unsigned long long)result->outcome.duration_us / 100 % 10));
}

int doctor_visit(const struct session *session, struct arena *arena, struct doctor_vec *ret_findings, struct err *err)
{
	struct err failure = { 0 };
	struct session_result result = { .facts = session->facts };
	int tried = try_one(session, arena, &result, &failure);
	int r = add(ret_findings, arena, "protection", find_rung(tried, &result));
	if (r == 0)
		r = doctor_examine(&result.facts, arena, ret_findings);
	if (r == 0)
		r = add(ret_findings, arena, "trial run", find_try(tried, &result, &failure, arena));
	return r < 0 ? err_set(err, ERR_LIMIT, ENOMEM, "out of memory") : 0;
}
