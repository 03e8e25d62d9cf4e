#include "sys/proc.h"

#include "base/own.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROC_TREE_MAX = 4096, PROC_STAT_FIELDS = 15 /* from the state, field 3, to cstime, field 17: proc(5) */ };

/* The tree, flat: processes are added as they are found and looked at in that order. */
struct proc_tree {
	pid_t pid[PROC_TREE_MAX];
	size_t n;
	uint64_t user_ticks, system_ticks, memory_kib;
};

/*
 * The last four of the fields are the times: user, system, and both again of the children that are gone. The name in field 2 may hold
 * anything, but no ')' follows it.
 */
static void add_ticks(struct proc_tree *tree, const char *stat)
{
	const char *p = strrchr(stat, ')');

	for (int field = 0; p && field < PROC_STAT_FIELDS; field++) {
		p = strchr(p, ' ');
		p += p != NULL;
		if (!p || field < PROC_STAT_FIELDS - 4)
			continue;
		if ((PROC_STAT_FIELDS - field) % 2 == 0)
			tree->user_ticks += strtoull(p, NULL, 10);
		else
			tree->system_ticks += strtoull(p, NULL, 10);
	}
}

static void add_memory(struct proc_tree *tree, int process)
{
	static const char key[] = "\nVmHWM:";
	char status[4096];
	const char *line = file_read_at(process, "status", status, sizeof(status)) > 0 ? strstr(status, key) : NULL;
	uint64_t kib = line ? strtoull(line + sizeof(key) - 1, NULL, 10) : 0;

	if (kib > tree->memory_kib)
		tree->memory_kib = kib;
}

static void add_children(struct proc_tree *tree, const char *children)
{
	char *end;

	for (long pid; (pid = strtol(children, &end, 10)) > 0 && tree->n < PROC_TREE_MAX; children = end)
		tree->pid[tree->n++] = (pid_t)pid;
}

/* Children belong to the thread that made them. */
static void look_at_threads(struct proc_tree *tree, int process)
{
	autofd int task = file_open_dir(process, "task");
	struct file_dir dir;
	const char *name;
	unsigned char type;

	if (task < 0)
		return;
	file_dir_init(&dir, task);
	while (file_dir_next(&dir, &name, &type) > 0) {
		char path[sizeof("/children") + 3 * sizeof(pid_t)], text[4096];

		snprintf(path, sizeof(path), "%s/children", name);
		if (file_read_at(task, path, text, sizeof(text)) > 0)
			add_children(tree, text);
	}
}

static int look_at_process(struct proc_tree *tree, pid_t pid)
{
	char path[sizeof("/proc/") + 3 * sizeof(pid_t)], stat[1024];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);

	autofd int process = file_open_dir(AT_FDCWD, path);

	if (process < 0)
		return process;

	ssize_t n = file_read_at(process, "stat", stat, sizeof(stat));

	if (n < 0)
		return (int)n;
	add_ticks(tree, stat);
	add_memory(tree, process);
	look_at_threads(tree, process);
	return 0;
}

static uint64_t ticks_to_us(uint64_t ticks)
{
	long ticks_per_second = sysconf(_SC_CLK_TCK);

	return ticks * 1000000 / (uint64_t)(ticks_per_second > 0 ? ticks_per_second : 100);
}

int proc_usage(pid_t top, struct proc_usage *ret_usage)
{
	struct proc_tree tree = { .pid = { top }, .n = 1 };
	int r = look_at_process(&tree, top);

	if (r < 0)
		return r;
	for (size_t i = 1; i < tree.n; i++)
		(void)look_at_process(&tree, tree.pid[i]); /* gone meanwhile: its parent's times have it, now or next time */
	*ret_usage = (struct proc_usage){ .user_us = ticks_to_us(tree.user_ticks),
		                          .system_us = ticks_to_us(tree.system_ticks),
		                          .memory_kib = tree.memory_kib };
	return 0;
}
