#include "sys/beside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int beside_find(const char *name, char *ret_path, size_t room)
{
	ssize_t n = readlink("/proc/self/exe", ret_path, room - 1);
	char *slash;

	ret_path[n > 0 ? n : 0] = '\0';
	slash = strrchr(ret_path, '/');
	if (slash) {
		size_t left = room - (size_t)(slash - ret_path);
		if ((size_t)snprintf(slash, left, "/%s", name) < left && access(ret_path, X_OK) == 0)
			return 0;
	}
	if ((size_t)snprintf(ret_path, room, "%s/%s", COFFER_LIBEXEC, name) >= room)
		return -ENAMETOOLONG;
	return access(ret_path, X_OK) == 0 ? 0 : -ENOENT;
}
