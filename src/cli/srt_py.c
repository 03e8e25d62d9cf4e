/* The line as srt's Python port reads it: options come first, all behind them is the command; what is wrong ends as click ends it. */
#include "cli/srt.h"

#include "base/own.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char version[] = "srt, version 0.0.12";
static const char usage[] = "Usage: srt [OPTIONS] COMMAND...\n";
static const char options[] = "\n"
			      "  Run commands in a sandbox with network and filesystem restrictions.\n"
			      "\n"
			      "Options:\n"
			      "  -d, --debug          Say more on standard error.\n"
			      "  -s, --settings PATH  Settings, in place of ~/.srt-settings.json.\n"
			      "  --version            Show the version and exit.\n"
			      "  --help               Show this message and exit.\n";

static int refuse(const char *text, const char *word, const char *end)
{
	fprintf(stderr, "%sTry 'srt --help' for help.\n\nError: %s%s%s\n", usage, text, word, end);
	return SRT_USAGE;
}

static int show(const char *first, const char *second)
{
	printf("%s%s", first, second);
	return fflush(stdout) == 0 ? 0 : SRT_FAILED;
}

/* The argument of -s and --settings: NULL when the word is neither; "" is one as well. */
static const char *argument_of(const char *word, const char *next, bool *ret_apart)
{
	*ret_apart = strcmp(word, "-s") == 0 || strcmp(word, "--settings") == 0;
	if (*ret_apart)
		return next;
	if (strncmp(word, "--settings=", 11) == 0)
		return word + 11;
	return strncmp(word, "-s", 2) == 0 ? word + 2 : NULL;
}

/* One option. Returns how many words it took, 0 when it is none of ours. */
static int take_option(struct srt_line *line, const char *word, const char *next)
{
	bool apart;

	if (strcmp(word, "-d") == 0 || strcmp(word, "--debug") == 0) {
		line->debug = true;
		return 1;
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "--help") == 0) {
		line->version = word[2] == 'v';
		line->help = !line->version;
		return 1;
	}
	line->settings = argument_of(word, next, &apart);
	return line->settings ? 1 + apart : 0;
}

int srt_py_parse(struct srt_line *line, const char *const *argv)
{
	while (*argv && argv[0][0] == '-' && argv[0][1] && strcmp(*argv, "--") != 0) {
		int n = take_option(line, argv[0], argv[1]);

		if (line->version)
			return show(version, "\n");
		if (line->help)
			return show(usage, options);
		if (n == 0 && (strcmp(*argv, "-s") == 0 || strcmp(*argv, "--settings") == 0))
			return refuse("Option '", *argv, "' requires an argument.");
		if (n == 0)
			return refuse("No such option: ", *argv, "");
		argv += n;
	}
	if (*argv && strcmp(*argv, "--") == 0)
		argv++;
	for (; *argv; argv++)
		srt_add_word(line, &line->operands, *argv);
	return line->operands.n ? SRT_GOES_ON : refuse("Missing argument 'COMMAND...'.", "", "");
}
