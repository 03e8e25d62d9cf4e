/*
 * coffer-verify: judges programs that come on standard input, and tells what it found on standard output. Started by `coffer verify` in a sandbox.
 *
 * Theory of operation. The input is, for each program, a line `LANGUAGE BYTES` and that many bytes; the output, for each in the same order, a line `BYTES` and a
 * JSON object. Programs are read by workers: forked from here, confined beyond what the sandbox does, each for a run of programs and with ceilings on memory and
 * time. What a worker has not answered when it ends is the fault of the program that it was reading: that one gets an error for an answer, and another worker
 * goes on behind it. So one program that makes the parser burst costs nobody else's judgement.
 */
#include "base/num.h"
#include "base/own.h"
#include "inspect/inspect.h"
#include "sys/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_MAX = 128 << 20, READ_BYTES = 1 << 20, LINE_ROOM = 64 };

static const char usage[] = "coffer-verify [OPTION…]: judges programs on standard input; a part of coffer, not meant to be called by hand\n"
			    "  --mode strict|anvil\n"
			    "  --allow RULE          once for each\n"
			    "  --imports A,B,…       what anvil does not let a program import\n"
			    "  --functions A,B,…     and call\n";

static int fail(const char *text)
{
	(void)fd_write_all(STDERR_FILENO, "coffer-verify: ", strlen("coffer-verify: "));
	(void)fd_write_all(STDERR_FILENO, text, strlen(text));
	(void)fd_write_all(STDERR_FILENO, "\n", 1);
	return INSPECT_USAGE;
}

static int read_all(struct inspect *inspect)
{
	size_t room = READ_BYTES;
	ssize_t got = 1;

	inspect->text = malloc(room);
	while (inspect->text && got != 0) {
		got = read(STDIN_FILENO, inspect->text + inspect->n, room - inspect->n);
		if (got < 0 && errno != EINTR)
			return -errno;
		inspect->n += got > 0 ? (size_t)got : 0;
		if (inspect->n < room)
			continue;
		if (room >= INPUT_MAX)
			return -EFBIG;
		room *= 2;
		char *more = realloc(inspect->text, room);
		if (!more)
			return -ENOMEM;
		inspect->text = more;
	}
	return inspect->text ? 0 : -ENOMEM;
}

/* `python 1234`, from *at on; moves *at behind the program. */
static int read_program(const struct inspect *inspect, size_t *at, struct program *ret_program)
{
	const char *start = inspect->text + *at;
	const char *newline = memchr(start, '\n', inspect->n - *at < LINE_ROOM ? inspect->n - *at : LINE_ROOM);
	char line[LINE_ROOM + 1], *space;
	uint64_t bytes;

	if (!newline)
		return -EINVAL;
	memcpy(line, start, (size_t)(newline - start));
	line[newline - start] = '\0';
	space = strchr(line, ' ');
	if (!space || num_count(space + 1, &bytes) < 0)
		return -EINVAL;
	*space = '\0';
	*at += (size_t)(newline + 1 - start);
	if (bytes > inspect->n - *at)
		return -EINVAL;
	*ret_program = (struct program){ .language = verify_language(line), .text = inspect->text + *at, .n = bytes };
	*at += bytes;
	return ret_program->language == LANGUAGES_END ? -EINVAL : 0;
}

static int split(struct inspect *inspect, struct arena *arena)
{
	size_t at = 0;

	while (at < inspect->n) {
		struct program *program = program_vec_add(&inspect->programs, arena);
		int r = program ? read_program(inspect, &at, program) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

static bool take_rule(struct verify_request *request, const char *name)
{
	for (unsigned rule = 0; name && rule < RULES_END; rule++) {
		if (strcmp(verify_rules[rule].name, name) != 0)
			continue;
		request->allowed[rule] = true;
		return true;
	}
	return false;
}

static bool take_mode(struct verify_request *request, const char *name)
{
	request->mode = name && strcmp(name, "anvil") == 0 ? VERIFY_ANVIL : VERIFY_STRICT;
	return name && (request->mode == VERIFY_ANVIL || strcmp(name, "strict") == 0);
}

static bool take_words(struct verify_request *request, char **words)
{
	for (; words[0]; words += 2) {
		const char *value = words[1];
		bool known = false;
		if (strcmp(words[0], "--mode") == 0)
			known = take_mode(request, value);
		else if (strcmp(words[0], "--allow") == 0)
			known = take_rule(request, value);
		else if (strcmp(words[0], "--imports") == 0)
			known = (request->imports = value);
		else if (strcmp(words[0], "--functions") == 0)
			known = (request->functions = value);
		if (!known)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct inspect inspect = { .request = { .mode = VERIFY_STRICT } };
	struct arena arena;
	int r;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return fd_write_all(STDOUT_FILENO, usage, sizeof(usage) - 1) < 0 ? INSPECT_FAILED : 0;
	if (!take_words(&inspect.request, argv + 1))
		return fail(usage);
	fd_close_from(STDERR_FILENO + 1);
	r = read_all(&inspect);
	if (r < 0)
		return fail(r == -EFBIG ? "the input is too long" : "the input cannot be read");
	arena_init(&arena, INPUT_MAX);
	if (split(&inspect, &arena) < 0)
		return fail("the input is not what it should be: LANGUAGE BYTES, and so many bytes");
	r = inspect_all(&inspect);
	arena_done(&arena);
	free(inspect.text);
	return r < 0 ? INSPECT_FAILED : 0;
}
