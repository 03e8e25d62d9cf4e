#include "workspace/clock.h"

#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Slewing moves the clocks' distance by little; a step by more than this takes the proof away. */
enum { DRIFT_MAX_NS = 100000000 };
enum { NAPS_MAX = 5000 };

static int64_t in_ns(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

int clock_read(int64_t *ret_wall_ns, struct workspace_clock *ret_clock)
{
	struct timespec coarse, wall, since;
	char boot[64];
	ssize_t n = file_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot, sizeof(boot));

	if (n < 0)
		return (int)n;
	if (clock_gettime(CLOCK_REALTIME_COARSE, &coarse) < 0 || clock_gettime(CLOCK_REALTIME, &wall) < 0 ||
	    clock_gettime(CLOCK_BOOTTIME, &since) < 0)
		return -errno;
	boot[strcspn(boot, "\n")] = '\0';
	snprintf(ret_clock->boot, sizeof(ret_clock->boot), "%.39s", boot);
	ret_clock->offset_ns = in_ns(&wall) - in_ns(&since);
	*ret_wall_ns = in_ns(&coarse);
	return 0;
}

int clock_pass(void)
{
	const struct timespec nap = { .tv_nsec = 200000 };
	struct timespec start, coarse;

	if (clock_gettime(CLOCK_REALTIME, &start) < 0)
		return -errno;
	for (int i = 0; i < NAPS_MAX; i++) {
		if (clock_gettime(CLOCK_REALTIME_COARSE, &coarse) < 0)
			return -errno;
		if (in_ns(&coarse) > in_ns(&start))
			return 0;
		nanosleep(&nap, NULL);
	}
	return -ETIME; /* somebody sets the clock back */
}

bool clock_proves(const struct workspace_record *record, int64_t wall_ns, const struct workspace_clock *now, int64_t ctime_ns)
{
	int64_t back = 0;

	if (wall_ns < record->seen_ns)
		return false;
	if (strcmp(now->boot, record->clock.boot) == 0) {
		back = record->clock.offset_ns - now->offset_ns;
		if (back > DRIFT_MAX_NS)
			return false;
		back = back > 0 ? back : 0;
	}
	return ctime_ns < record->created_ns - back;
}
