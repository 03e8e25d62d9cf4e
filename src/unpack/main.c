/*
 * Theory of operation. Descriptor 3 is the directory. An archive comes in by 0 and goes out by 1; 4 lists paths, if --paths says so. One line of JSON on 2
 * says what was done, and the exit status how it ended (unpack.h). Whoever starts this has become the user that owns the tree.
 */
#include "base/num.h"
#include "base/own.h"
#include "base/str.h"
#include "sys/caps.h"
#include "sys/fd.h"
#include "unpack/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOT_FD = 3, LIST_FD = 4, REPORT_MAX = 1 << 16, NUMBER_ROOM = 16 };

static const char usage[] =
    "coffer-unpack extract|create [OPTION…]: archives below descriptor 3; a part of coffer, not meant to be called by hand\n"
    "  --bytes SIZE      of all files together (4G)\n"
    "  --ratio N         unpacked bytes for one packed (1000)\n"
    "  --entries N       (1000000)\n"
    "  --depth N         directories below each other (256)\n"
    "  --time DURATION   (10m)\n"
    "  --snapshot        overlayfs's whiteouts and opaque directories are kept\n"
    "  --user UID:GID    as this user, from the beginning\n"
    "  --links-inside    extract: leaves out links that would lead out of the directory\n"
    "  --skip-special    extract: leaves devices, fifos and sockets out instead of refusing the archive\n"
    "  --zstd            create: compressed\n"
    "  --paths           create: only the paths that descriptor 4 lists, a NUL behind each\n"
    "  --flat            with --paths: directories without what is in them\n";

static bool has_word(const char *word, const char *text, bool *ret_flag)
{
	if (strcmp(word, text) != 0)
		return false;
	*ret_flag = true;
	return true;
}

static bool take_flag(struct unpack *unpack, const char *word)
{
	bool paths = false;

	if (has_word(word, "--paths", &paths))
		unpack->input = LIST_FD;
	return paths || has_word(word, "--snapshot", &unpack->snapshot) || has_word(word, "--skip-special", &unpack->skip_special) ||
	       has_word(word, "--links-inside", &unpack->links_inside) || has_word(word, "--zstd", &unpack->zstd) ||
	       has_word(word, "--flat", &unpack->flat);
}

/* Before anything else is done: what is named by whoever started this is not looked at as root. */
static int become(const char *text)
{
	const char *colon = strchr(text, ':');
	char uid_text[NUMBER_ROOM] = "";
	uint64_t uid, gid;

	if (!colon || (size_t)(colon - text) >= sizeof(uid_text))
		return -EINVAL;
	memcpy(uid_text, text, (size_t)(colon - text));
	if (num_count(uid_text, &uid) < 0 || num_count(colon + 1, &gid) < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return -EINVAL;
	return caps_become((uint32_t)uid, (uint32_t)gid, 0);
}

static int take_value(struct unpack_limits *limits, const char *word, const char *value)
{
	uint64_t depth;
	int r = -EINVAL;

	if (!value)
		return r;
	if (strcmp(word, "--user") == 0)
		return become(value);
	if (strcmp(word, "--bytes") == 0)
		return num_size(value, &limits->bytes);
	if (strcmp(word, "--ratio") == 0)
		return num_count(value, &limits->ratio);
	if (strcmp(word, "--entries") == 0)
		return num_count(value, &limits->entries);
	if (strcmp(word, "--time") == 0)
		return num_duration(value, &limits->time_ms);
	if (strcmp(word, "--depth") == 0)
		r = num_count(value, &depth);
	if (r == 0 && depth > PATH_DEPTH_MAX)
		return -ERANGE;
	if (r == 0)
		limits->depth = (unsigned)depth;
	return r;
}

/* A day and a pebibyte are for ever, and keep sums from overflowing. */
static void clamp(struct unpack_limits *limits)
{
	const uint64_t day_ms = 86400000, much = (uint64_t)1 << 50;

	limits->bytes = limits->bytes < much ? limits->bytes : much;
	limits->entries = limits->entries < much >> 20 ? limits->entries : much >> 20;
	limits->time_ms = limits->time_ms < day_ms ? limits->time_ms : day_ms;
}

static bool take_words(struct unpack *unpack, char **words)
{
	for (; *words; words++) {
		if (take_flag(unpack, *words))
			continue;
		if (take_value(&unpack->limits, words[0], words[1]) < 0) {
			unpack_fail(unpack, UNPACK_USAGE, EINVAL, "%s %s", words[0], words[1] ? words[1] : "");
			return false;
		}
		words++;
	}
	clamp(&unpack->limits);
	return true;
}

static const char *status_name(enum unpack_status status)
{
	switch (status) {
	case UNPACK_DONE:
		return "done";
	case UNPACK_USAGE:
		return "usage";
	case UNPACK_MALFORMED:
		return "malformed";
	case UNPACK_REFUSED:
		return "refused";
	case UNPACK_LIMIT:
		return "limit";
	case UNPACK_FAILED:
		return "failed";
	case UNPACK_INCOMPLETE:
		return "incomplete";
	default:
		return "setup";
	}
}

static void report(const struct unpack *unpack)
{
	autostr struct str line;

	str_init(&line, REPORT_MAX);
	str_printf(&line, "{\"status\": \"%s\"", status_name(unpack->status));
	if (unpack->status != UNPACK_DONE) {
		str_add(&line, ", \"entry\": ");
		str_add_json(&line, unpack->entry, strlen(unpack->entry));
		str_add(&line, ", \"reason\": ");
		str_add_json(&line, unpack->err.text, strlen(unpack->err.text));
		str_add(&line, ", \"error\": ");
		str_add_json_text(&line, unpack->err.errnum ? strerror(unpack->err.errnum) : NULL);
	}
	str_printf(&line, ", \"files\": %llu, \"directories\": %llu, \"links\": %llu, \"bytes\": %llu, \"skipped\": %llu}\n",
	           (unsigned long long)unpack->files, (unsigned long long)unpack->directories, (unsigned long long)unpack->links,
	           (unsigned long long)unpack->bytes, (unsigned long long)unpack->skipped);
	(void)fd_write_all(STDERR_FILENO, line.text, line.len);
}

/* Before the walls are up: what libarchive wants of the system, and nothing that the caller left open. */
static void prepare(struct unpack *unpack)
{
	struct stat st;

	fd_close_from(unpack->input == LIST_FD ? LIST_FD + 1 : LIST_FD);
	(void)umask(0);
	(void)setenv("TZ", "UTC", 1);
	if (!setlocale(LC_CTYPE, "C.UTF-8")) /* without it libarchive stops at the first name that is not ASCII */
		unpack_fail(unpack, UNPACK_SETUP, 0, "this system has no locale C.UTF-8");
	if (fstat(ROOT_FD, &st) < 0 || !S_ISDIR(st.st_mode))
		unpack_fail(unpack, UNPACK_USAGE, EBADF, "descriptor 3 is no directory");
}

static void confine_and_run(struct unpack *unpack, bool extract)
{
	int r = unpack_confine(unpack, extract);

	if (r < 0) {
		unpack_fail(unpack, UNPACK_SETUP, -r, "giving up what is not needed");
	} else if (extract) {
		unpack->input = STDIN_FILENO;
		(void)unpack_extract(unpack);
	} else {
		(void)unpack_create(unpack);
	}
}

static int show_usage(int fd, enum unpack_status status)
{
	(void)fd_write_all(fd, usage, sizeof(usage) - 1);
	return (int)status;
}

int main(int argc, char **argv)
{
	struct unpack unpack = { .root = ROOT_FD, .input = -1, .output = STDOUT_FILENO, .limits = UNPACK_LIMITS_DEFAULT };
	const char *verb = argc > 1 ? argv[1] : "";
	bool extract = strcmp(verb, "extract") == 0;

	if (strcmp(verb, "--help") == 0)
		return show_usage(STDOUT_FILENO, UNPACK_DONE);
	if (!extract && strcmp(verb, "create") != 0)
		return show_usage(STDERR_FILENO, UNPACK_USAGE);
	if (take_words(&unpack, argv + 2))
		prepare(&unpack);
	if (unpack.status == UNPACK_DONE)
		confine_and_run(&unpack, extract);
	report(&unpack);
	return (int)unpack.status;
}
