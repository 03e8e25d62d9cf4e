#include "engine/keep.h"

#include "base/own.h"
#include "base/path.h"
#include "engine/spawn.h"
#include "sys/fd.h"
#include "sys/process.h"
#include "sys/sock.h"

#include <string.h>

int keep_spawn(const struct keep_start *start, const int fds[KEEP_START_FDS], struct err *err)
{
	char program[PATH_BYTES_MAX + 1];
	int r = spawn_find("coffer-session", program, err);

	if (r < 0)
		return r;

	autofd int ours = -1;

	r = live_spawn_as(program, KEEP_NAME, &ours, err);
	if (r == 0)
		r = sock_send_fds(ours, start, sizeof(*start), fds, KEEP_START_FDS);
	if (r < 0)
		return err && err->code ? r : err_set(err, ERR_SETUP, -r, "a keeper cannot be started: %s", strerror(-r));
	return live_hear_started(ours, KEEP_NAME, NULL, err);
}

int keep_connect(int dir)
{
	autofd int fd = live_connect(dir, KEEP_SOCKET);
	int r = fd < 0 ? fd : live_check_peer(fd, false);

	return r < 0 ? r : TAKE_FD(fd);
}
