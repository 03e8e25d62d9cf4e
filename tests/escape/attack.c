#include "attack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *target(const char *variable)
{
	const char *value = getenv(variable);
	if (!value || !*value) {
		fprintf(stderr, "attack: %s is not set\n", variable);
		exit(NO_TARGET);
	}
	return value;
}

const char *target_path(const char *variable, const char *below)
{
	static char path[2][4096];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof(path[0]), "%s/%s", target(variable), below);
	return path[turn];
}

long target_number(const char *variable)
{
	return strtol(target(variable), NULL, 10);
}

bool file_has_canary(const char *path)
{
	char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 && memmem(text, (size_t)n, CANARY, strlen(CANARY));
}

int breach_if(bool yes)
{
	return yes ? BREACH : REFUSED;
}

static int run_from(const struct attack *list, const char *name)
{
	for (; list->name; list++)
		if (!strcmp(list->name, name))
			return list->run();
	return -1;
}

static int list_all(const struct attack *const lists[])
{
	for (int i = 0; lists[i]; i++)
		for (const struct attack *a = lists[i]; a->name; a++)
			puts(a->name);
	return 0;
}

int main(int argc, char **argv)
{
	const struct attack *const lists[] = { file_attacks, kernel_attacks, process_attacks, net_attacks, NULL };
	if (argc != 2 || !strcmp(argv[1], "--list"))
		return list_all(lists);
	for (int i = 0; lists[i]; i++) {
		int r = run_from(lists[i], argv[1]);
		if (r >= 0)
			return r;
	}
	fprintf(stderr, "attack: no attack called %s\n", argv[1]);
	return 2;
}
