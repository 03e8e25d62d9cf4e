/* replay.c: runs one fuzz target over files: an ordinary program, for debuggers, sanitizers and the test suite. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MAX = 16 << 20 };

static int replay(const char *path)
{
	static uint8_t data[INPUT_MAX];

	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return 1;
	}
	size_t size = fread(data, 1, sizeof(data), file);
	fclose(file);

	/* A copy of the exact size, so that a sanitizer sees one byte too far. */
	uint8_t *exact = malloc(size ? size : 1);
	if (!exact)
		return 1;
	for (size_t i = 0; i < size; i++)
		exact[i] = data[i];
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	printf("%d inputs\n", argc - 1);
	return failed;
}
