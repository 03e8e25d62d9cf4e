#include "sys/caps.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int prctl(int, ...); /* sys/prctl.h repeats what linux/prctl.h has */

static int set_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	data[0].effective = data[0].permitted = (uint32_t)caps;
	data[1].effective = data[1].permitted = (uint32_t)(caps >> 32);
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

static int get_permitted(uint64_t *ret_caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	*ret_caps = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

int caps_keep(uint64_t keep)
{
	uint64_t permitted;
	int r = get_permitted(&permitted);

	return r < 0 ? r : set_caps(permitted & keep);
}

/* Raw: a C library would ask all threads of a process to do the same. */
static int set_ids(uint32_t uid, uint32_t gid)
{
	if (syscall(SYS_setresgid, gid, gid, gid) < 0)
		return -errno;
	return syscall(SYS_setresuid, uid, uid, uid) < 0 ? -errno : 0;
}

int caps_become(uint32_t uid, uint32_t gid, uint64_t keep)
{
	int r;

	/* Where the namespace denies setgroups, there are none to lose either. */
	if (syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM)
		return -errno;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	r = set_ids(uid, gid);
	if (r == 0)
		r = caps_keep(keep);
	if (r == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		r = -errno;
	return r;
}

/* The kernel tells the id that was, whether it took the new one or not. */
static bool set_files_id(long call, uint32_t id)
{
	(void)syscall(call, id);
	return (uint32_t)syscall(call, -1) == id;
}

static bool put_files_back(const struct caps_files *before)
{
	return set_files_id(SYS_setfsuid, before->uid) && set_files_id(SYS_setfsgid, before->gid) &&
	       syscall(SYS_setgroups, before->groups_n, before->groups) == 0;
}

int caps_files_as(uint32_t uid, uint32_t gid, struct caps_files *ret_before)
{
	struct caps_files *before = ret_before;
	long n;

	before->changed = geteuid() != uid || getegid() != gid;
	if (!before->changed)
		return 0;
	before->uid = geteuid();
	before->gid = getegid();
	n = syscall(SYS_getgroups, CAPS_GROUPS_MAX, before->groups);
	if (n < 0 || syscall(SYS_setgroups, 0, NULL) < 0)
		return -errno;
	before->groups_n = (int)n;
	if (set_files_id(SYS_setfsgid, gid) && set_files_id(SYS_setfsuid, uid))
		return 0;
	caps_files_back(before);
	return -EPERM;
}

void caps_files_back(const struct caps_files *before)
{
	if (before->changed && !put_files_back(before))
		abort();
}

static int drop_bounding(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	return errno == EINVAL ? 0 : -errno; /* EINVAL: there are no more */
}

int caps_drop(void)
{
	uint64_t permitted;
	int r = get_permitted(&permitted);

	if (r < 0)
		return r;
	if (permitted & (1ull << CAP_SETPCAP)) {
		if (prctl(PR_SET_SECUREBITS, SECURE_ALL_BITS | SECURE_ALL_LOCKS, 0, 0, 0) < 0)
			return -errno;
		r = drop_bounding();
	}
	if (r == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		r = -errno;
	return r < 0 ? r : set_caps(0);
}
