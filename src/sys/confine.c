#include "sys/confine.h"

#include "base/own.h"
#include "sys/caps.h"
#include "sys/landlock.h"
#include "sys/limit.h"
#include "sys/seccomp.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { ABI_NETWORK = 4, ABI_SCOPES = 6, BIND_AND_CONNECT = 3, SCOPES = 3 };

#ifdef __has_feature
#define SANITIZED (__has_feature(address_sanitizer))
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static int set_limit(unsigned resource, uint64_t value)
{
	return value == UINT64_MAX ? 0 : limit_set(resource, value, value);
}

static int set_limits(const struct confine *confine)
{
	int r = limit_set(RLIMIT_CORE, 0, 0);

	if (r == 0)
		r = set_limit(RLIMIT_NOFILE, confine->descriptors);
	if (r == 0)
		r = set_limit(RLIMIT_FSIZE, confine->file_bytes);
	if (r == 0)
		r = set_limit(RLIMIT_CPU, confine->cpu_s);
	if (r == 0 && !SANITIZED)
		r = set_limit(RLIMIT_AS, confine->memory_bytes);
	return r;
}

static int enter_landlock(const struct confine *confine)
{
	unsigned abi = landlock_abi();
	const struct landlock_handled handled = {
		.files = landlock_file_rights(abi),
		.network = abi >= ABI_NETWORK ? BIND_AND_CONNECT : 0,
		.scopes = abi >= ABI_SCOPES ? SCOPES : 0,
	};
	autofd int ruleset = abi > 0 ? landlock_open(abi, &handled) : -1;
	int r = 0;

	if (abi == 0)
		return 0;
	if (ruleset < 0)
		return ruleset;
	if (confine->root >= 0)
		r = landlock_allow(ruleset, confine->root, confine->rights & handled.files);
	return r < 0 ? r : landlock_enter(ruleset);
}

int confine(const struct confine *confine)
{
	int r = caps_drop();

	if (r == 0)
		r = set_limits(confine);
	if (r == 0 && (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0))
		r = -errno;
	if (r == 0)
		r = enter_landlock(confine);
	return r < 0 ? r : seccomp_load(confine->filter, confine->filter_bytes);
}
