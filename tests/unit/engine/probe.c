#include "engine/engine.h"

#include "sys/cgroup.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void the_machine(void **state)
{
	struct arena arena;
	struct facts facts;
	struct err err = { 0 };
	struct utsname name;
	autostr struct str text;

	(void)state;
	arena_init(&arena, 1 << 20);
	assert_int_equal(engine_probe(&arena, &facts, &err), 0);
	uname(&name);
	assert_string_equal(facts.kernel, name.release);
	assert_string_equal(facts.arch, name.machine);
	assert_int_equal(facts.uid, geteuid());
	assert_true(!facts.root || facts.sandbox_uid);
	assert_true(!facts.sandbox_uid || (facts.uid == 0 && facts.first_user_namespace && facts.uid_above == 0));
	assert_int_equal(facts.user_namespaces, facts.user_namespaces_why == NULL);
	assert_true(facts.cpus >= 1);
	assert_true(facts.memory_bytes > 16 << 20);

	const struct facts_controller *places[] = { &facts.memory, &facts.pids, &facts.cpu, &facts.freezer, &facts.cpuacct };

	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(places[i]->version == FACTS_CGROUP_NONE, places[i]->dir == NULL);
		if (places[i]->dir)
			assert_int_equal(access(places[i]->dir, W_OK), 0);
	}
	str_init(&text, 1 << 16);
	facts_print_json(&facts, &text);
	print_message("# %s\n", text.text);
	arena_done(&arena);
}

/* A cgroup with the controller can be made where the facts say so. */
static void cgroups_can_be_made(void **state)
{
	struct arena arena;
	struct facts facts;

	(void)state;
	arena_init(&arena, 1 << 20);
	assert_int_equal(engine_probe(&arena, &facts, NULL), 0);

	const struct facts_controller *places[] = { &facts.memory, &facts.pids, &facts.cpu };
	static const char *const limits[3][2][2] = {
		{ { "memory.limit_in_bytes", "1073741824" }, { "memory.max", "1073741824" } },
		{ { "pids.max", "100" }, { "pids.max", "100" } },
		{ { "cpu.cfs_quota_us", "50000" }, { "cpu.max", "50000 100000" } },
	};

	for (size_t i = 0; i < 3; i++) {
		if (!places[i]->dir)
			continue;

		const char *const *limit = limits[i][places[i]->version == FACTS_CGROUP_V2];
		const char *dir = arena_printf(&arena, "%s/coffer-unit-%d", places[i]->dir, (int)getpid());

		assert_int_equal(cgroup_make(dir), 0);
		assert_int_equal(cgroup_set(arena_printf(&arena, "%s/%s", dir, limit[0]), limit[1]), 0);
		assert_int_equal(cgroup_remove(dir), 0);
	}
	arena_done(&arena);
}

/* A process of its own, where `enter` has been: is what its probe says as `judge` wants it? */
static void probe_where(int (*enter)(const char *folder), bool (*judge)(const struct facts *facts))
{
	char folder[] = "/tmp/coffer-probe.XXXXXX";
	int status;
	pid_t pid;

	assert_non_null(mkdtemp(folder));
	pid = fork();
	if (pid == 0) {
		struct arena arena;
		struct facts facts = { 0 };
		bool entered = enter(folder) == 0, right;

		arena_init(&arena, 1 << 20);
		right = entered && engine_probe(&arena, &facts, NULL) == 0 && judge(&facts);
		if (!right)
			print_message("# %s: %s\n", entered ? "probed" : "not entered",
			              facts.user_namespaces_why ? facts.user_namespaces_why : "user namespaces");
		_exit(right ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(status, 0);
}

/* The host's tree, once more, as a root that is not the mount namespace's own. */
static int enter_chroot(const char *folder)
{
	if (unshare(CLONE_NEWNS) < 0 || syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return syscall(SYS_mount, "/", folder, NULL, MS_BIND | MS_REC, NULL) < 0 ? -1 : chroot(folder) | chdir("/");
}

static bool blames_chroot(const struct facts *facts)
{
	return !facts->user_namespaces && strstr(facts->user_namespaces_why, "chroot") &&
	       strstr(facts_user_namespaces_fix(facts), "pivot_root");
}

/* The kernel makes no user namespace for it, and no file says so. */
static void a_chroot_is_found(void **state)
{
	(void)state;
	if (geteuid() != 0)
		SKIP_BECAUSE("needs root to make a chroot");
	probe_where(enter_chroot, blames_chroot);
}

/* As in a container: the capabilities that are left, as bits of the bounding set, of which exec would make the permitted ones. */
static int keep_capabilities(unsigned kept)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = kept, .permitted = kept } };

	return (int)syscall(SYS_capset, &head, data);
}

enum { CONTAINER = 1 << CAP_CHOWN | 1 << CAP_DAC_OVERRIDE | 1 << CAP_KILL | 1 << CAP_SETGID | 1 << CAP_SETUID };

static int enter_container(const char *folder)
{
	(void)folder;
	return keep_capabilities(CONTAINER);
}

static bool may_be_another(const struct facts *facts)
{
	return facts->sandbox_uid && !facts->root && !facts->idmapped_mounts;
}

static int enter_bare_container(const char *folder)
{
	(void)folder;
	return keep_capabilities(CONTAINER & ~(1 << CAP_SETUID));
}

static bool may_be_nobody_else(const struct facts *facts)
{
	return facts->uid == 0 && facts->first_user_namespace && !facts->sandbox_uid && !facts->root;
}

static int enter_user_namespace(const char *folder)
{
	char map[64];
	int fd, uid = (int)geteuid(), n = snprintf(map, sizeof(map), "0 %d 1", uid);

	(void)folder;
	if (unshare(CLONE_NEWUSER) < 0)
		return -1;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, map, (size_t)n) == n && close(fd) == 0 ? 0 : -1;
}

static uint32_t caller_uid;

static bool knows_uid_above(const struct facts *facts)
{
	return facts->uid == 0 && !facts->first_user_namespace && facts->uid_above == caller_uid && !facts->sandbox_uid && !facts->root;
}

static void root_is_what_it_may(void **state)
{
	(void)state;
	caller_uid = geteuid();
	probe_where(enter_user_namespace, knows_uid_above);
	if (geteuid() != 0)
		SKIP_BECAUSE("needs root to be less");
	probe_where(enter_container, may_be_another);
	probe_where(enter_bare_container, may_be_nobody_else);
}

static void memory_runs_out(void **state)
{
	struct arena arena;
	struct facts facts;
	struct err err = { 0 };

	(void)state;
	arena_init(&arena, 8);
	assert_int_equal(engine_probe(&arena, &facts, &err), -ENOMEM);
	assert_int_equal(err.code, ERR_LIMIT);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_machine),         cmocka_unit_test(cgroups_can_be_made), cmocka_unit_test(a_chroot_is_found),
		cmocka_unit_test(root_is_what_it_may), cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
