/*
 * work.c: a fixed amount of work of one kind, timed by itself: `work calls|files|opens N`. Prints microseconds.
 * It is run bare and inside in turn, so that what a sandbox costs at start does not count.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void system_calls(long n)
{
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
}

/* Create, write, stat, read, rename and remove small files in the working directory. */
static void small_files(long n)
{
	char name[64], other[64], text[512];
	struct stat st;
	memset(text, 'x', sizeof(text));
	for (long i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "work-%ld", i);
		snprintf(other, sizeof(other), "moved-%ld", i);
		int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
		if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text) || pread(fd, text, sizeof(text), 0) != sizeof(text))
			exit(2);
		close(fd);
		if (stat(name, &st) || rename(name, other) || unlink(other))
			exit(2);
	}
}

static void read_opens(long n)
{
	char text[512];
	for (long i = 0; i < n; i++) {
		int fd = open("/etc/hostname", O_RDONLY);
		if (fd < 0 || read(fd, text, sizeof(text)) < 0)
			exit(2);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct timespec from, to;
	if (argc != 3)
		return 2;
	long n = strtol(argv[2], NULL, 10);
	clock_gettime(CLOCK_MONOTONIC, &from);
	if (!strcmp(argv[1], "calls"))
		system_calls(n);
	else if (!strcmp(argv[1], "files"))
		small_files(n);
	else if (!strcmp(argv[1], "opens"))
		read_opens(n);
	else
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%.0f\n", (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3);
	return 0;
}
