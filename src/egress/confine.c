#include "egress/confine.h"

#include "base/own.h"
#include "sys/caps.h"
#include "sys/landlock.h"
#include "sys/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

int prctl(int, ...); /* sys/prctl.h repeats what linux/prctl.h has */

/* Landlock: every right on files, TCP bind (connect stays), abstract sockets and signals to others. */
enum {
	ABI_NETWORK = 4,
	ABI_SCOPES = 6,
	BIND_TCP = 1 << 0,
	SCOPES = 3,
};

static int become_nobody(uint32_t uid)
{
	return uid != 0 && geteuid() == 0 ? caps_become(uid, uid, 1 << CAP_SETPCAP /* which caps_drop wants */) : 0;
}

static int set_limits(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	if (setrlimit(RLIMIT_CORE, &none) < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0)
		return -errno;
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files) < 0 ? -errno : 0;
}

static int set_flags(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int allow_files(int ruleset)
{
	static const char *const files[] = { "/etc/hosts", "/etc/resolv.conf", "/etc/services", "/etc/nsswitch.conf", "/etc/gai.conf" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(files) && r == 0; i++) {
		autofd int fd = open(files[i], O_PATH | O_CLOEXEC);

		if (fd >= 0)
			r = landlock_allow(ruleset, fd, LANDLOCK_READ_FILE);
	}
	return r;
}

static int enter_landlock(void)
{
	unsigned abi = landlock_abi();
	const struct landlock_handled handled = {
		.files = landlock_file_rights(abi),
		.network = abi >= ABI_NETWORK ? BIND_TCP : 0,
		.scopes = abi >= ABI_SCOPES ? SCOPES : 0,
	};
	autofd int ruleset = abi > 0 ? landlock_open(abi, &handled) : -1;
	int r;

	if (abi == 0)
		return 0;
	r = ruleset < 0 ? ruleset : allow_files(ruleset);
	return r < 0 ? r : landlock_enter(ruleset);
}

static int load_filter(void)
{
	const void *filter;
	size_t bytes = confine_filter(&filter);

	return seccomp_load(filter, bytes);
}

int confine_opener(void)
{
	const void *filter;
	size_t bytes = confine_opener_filter(&filter);

	return seccomp_load(filter, bytes);
}

int confine(uint32_t uid, struct err *err)
{
	int r = become_nobody(uid);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "cannot become user %u", (unsigned)uid);
	r = caps_drop();
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "cannot drop capabilities");
	r = set_limits();
	if (r == 0)
		r = set_flags();
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "cannot set limits");
	r = enter_landlock();
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "Landlock");
	r = load_filter();
	return r < 0 ? err_set(err, ERR_SETUP, -r, "seccomp") : 0;
}
