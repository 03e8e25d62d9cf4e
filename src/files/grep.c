/*
 * Theory of operation. A file is read in one buffer, a line at a time; a line that is longer than FILES_LINE_MAX is looked at as far as that, and the
 * rest of it is passed over. The expression's automaton takes time proportional to the line, so that no text can make a search hang.
 */
#include "base/glob.h"
#include "base/own.h"
#include "base/regex.h"
#include "files/resolve.h"
#include "files/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 2 * FILES_LINE_MAX, BINARY_LOOK = 8 << 10, MATCHES_DEFAULT = 1000, REGEX_BYTES_MAX = 4 << 20 };

struct search {
	const struct files *files;
	const struct files_grep *wish;
	struct arena *arena;
	struct files_matches *found;
	struct regex *regex; /* NULL: plain */
	const char *prefix, *only;
	uint64_t bytes;
	char buffer[BUFFER];
};

/* The file that is being looked into. */
struct scan {
	const char *path;
	int fd;
	uint64_t line;
	size_t start, n; /* what of the buffer has not been looked at */
	bool end, skipping;
};

static void cut(struct search *search, enum files_cut why)
{
	if (search->found->cut == FILES_WHOLE)
		search->found->cut = why;
}

static bool find(const struct search *search, const char *line, size_t n, struct regex_match *ret_match)
{
	const char *at;

	if (search->regex)
		return regex_find(search->regex, line, n, 0, ret_match);
	at = memmem(line, n, search->wish->pattern, strlen(search->wish->pattern));
	if (at) {
		ret_match->start = (size_t)(at - line);
		ret_match->end = ret_match->start + strlen(search->wish->pattern);
	}
	return at != NULL;
}

/* Looks at one line. WALK_STOP when there is no room for another match. */
static int look_at_line(struct search *search, const struct scan *scan, const char *line, size_t n)
{
	struct regex_match match;
	struct files_match *at;
	size_t most = search->wish->matches_max ? search->wish->matches_max : MATCHES_DEFAULT, from;

	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (!find(search, line, n, &match))
		return WALK_GO;
	at = search->found->matches.n < most ? files_match_vec_add(&search->found->matches, search->arena) : NULL;
	if (!at) {
		cut(search, FILES_CUT_ENTRIES);
		return WALK_STOP;
	}
	from = n > FILES_LINE_SHOWN_MAX && match.start > FILES_LINE_SHOWN_MAX / 4 ? match.start - FILES_LINE_SHOWN_MAX / 4 : 0;
	at->text_len = n - from < FILES_LINE_SHOWN_MAX ? n - from : FILES_LINE_SHOWN_MAX;
	at->line_cut = at->text_len < n;
	at->line = scan->line;
	at->column = match.start + 1;
	at->path = arena_dup(search->arena, scan->path);
	at->text = arena_dup_n(search->arena, line + from, at->text_len);
	if (at->path && at->text)
		return WALK_GO;
	search->found->matches.n--;
	cut(search, FILES_CUT_BYTES);
	return WALK_STOP;
}

/* Fills the buffer behind what is left. */
static int fill(struct search *search, struct scan *scan)
{
	ssize_t n;

	memmove(search->buffer, search->buffer + scan->start, scan->n);
	scan->start = 0;
	if (search->files->deadline_ms && files_now_ms() >= search->files->deadline_ms) {
		cut(search, FILES_CUT_TIME);
		return WALK_STOP;
	}
	n = read(scan->fd, search->buffer + scan->n, sizeof(search->buffer) - scan->n);
	scan->end = n <= 0;
	scan->n += n > 0 ? (size_t)n : 0;
	search->bytes += n > 0 ? (uint64_t)n : 0;
	if (n < 0)
		cut(search, FILES_CUT_UNREADABLE);
	if (search->bytes > search->files->bytes_max) {
		cut(search, FILES_CUT_BYTES);
		return WALK_STOP;
	}
	return WALK_GO;
}

/* Takes one line, or as much of one as is looked at, from the buffer. */
static int take_line(struct search *search, struct scan *scan)
{
	const char *line = search->buffer + scan->start;
	const char *end = memchr(line, '\n', scan->n);
	size_t whole = end ? (size_t)(end - line) : scan->n;
	int r = WALK_GO;

	if (!scan->skipping)
		r = look_at_line(search, scan, line, whole < FILES_LINE_MAX ? whole : FILES_LINE_MAX);
	scan->skipping = !end;
	scan->line += end != NULL;
	whole += end != NULL;
	scan->start += whole;
	scan->n -= whole;
	return r;
}

static int scan_file(struct search *search, const char *path, int fd)
{
	struct scan scan = { .path = path, .fd = fd, .line = 1 };
	bool first = true;
	int r = WALK_GO;

	while (r == WALK_GO && !scan.end) {
		r = fill(search, &scan);
		if (first && memchr(search->buffer, '\0', scan.n < BINARY_LOOK ? scan.n : BINARY_LOOK)) {
			search->found->binary++;
			return r;
		}
		first = false;
		while (r == WALK_GO && scan.n > 0 &&
		       (scan.end || scan.n >= FILES_LINE_MAX || memchr(search->buffer + scan.start, '\n', scan.n)))
			r = take_line(search, &scan);
	}
	search->found->files++;
	return r;
}

static bool is_wanted(const struct search *search, const char *path)
{
	if (!search->only)
		return true;
	return glob_match(search->only, strchr(search->wish->only, '/') ? path : strrchr(path, '/'));
}

static int visit_file(void *self, const struct walk_visit *visit)
{
	struct search *search = (struct search *)self;
	char path[2 * PATH_BYTES_MAX];

	if (!S_ISREG(visit->st.st_mode))
		return WALK_GO;
	if ((size_t)snprintf(path, sizeof(path), "/%s%s%s", search->prefix, *search->prefix ? "/" : "", visit->path) >= sizeof(path)) {
		cut(search, FILES_CUT_DEPTH);
		return WALK_GO;
	}
	if (!is_wanted(search, path))
		return WALK_GO;

	autofd int place = openat(visit->dir, visit->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	autofd int fd = place < 0 ? -errno : resolve_open_regular(place, O_RDONLY);

	if (fd >= 0)
		return scan_file(search, path + 1, fd);
	if (fd != -ENOENT)
		cut(search, FILES_CUT_UNREADABLE);
	return WALK_GO;
}

static int prepare(struct search *search, struct arena *expressions, struct err *err)
{
	const char *fault;
	int r;

	if (search->wish->only) {
		search->only = arena_printf(expressions, "/%s", search->wish->only);
		if (!search->only)
			return err_set(err, ERR_LIMIT, ENOMEM, "grep");
	}
	if (search->wish->plain)
		return 0;
	r = regex_compile(search->wish->pattern, expressions, &search->regex, &fault);
	if (r == -EINVAL)
		return err_set(err, ERR_USAGE, EINVAL, "pattern \"%s\": %s", search->wish->pattern, fault);
	return r < 0 ? err_set(err, ERR_LIMIT, -r, "pattern \"%s\"", search->wish->pattern) : 0;
}

/* A file, or a directory and all below it. */
static int search_path(struct search *search, const char *normal, struct err *err)
{
	const struct files *files = search->files;
	struct walk walk = { .entries_max = files->entries_max,
		             .deadline_ms = files->deadline_ms,
		             .depth_max = files->depth_max,
		             .visit = visit_file,
		             .self = search };
	autofd int fd = resolve_open(files->root, normal, O_RDONLY | O_DIRECTORY, 0);
	int r;

	if (fd >= 0) {
		r = walk_tree(&walk, fd);
		cut(search, walk.cut);
		return r < 0 ? resolve_failed(err, -r, normal) : 0;
	}
	if (fd != -ENOTDIR)
		return resolve_failed(err, -fd, normal);
	fd = -1;
	r = files_open_file(files, normal, &fd, err);
	if (r == 0)
		(void)scan_file(search, normal, fd);
	return r;
}

int files_grep(const struct files *files, const struct files_grep *wish, struct arena *arena, struct files_matches *ret_matches,
               struct err *err)
{
	__attribute__((cleanup(arena_done))) struct arena expressions;
	autofree struct search *search = calloc(1, sizeof(*search));
	struct files_matches found = { 0 };
	char normal[PATH_BYTES_MAX + 1];
	int r = files_normalize(wish->path ? wish->path : ".", normal, err);

	arena_init(&expressions, REGEX_BYTES_MAX);
	if (r < 0)
		return r;
	if (!search)
		return err_set(err, ERR_LIMIT, ENOMEM, "grep");
	search->files = files;
	search->wish = wish;
	search->arena = arena;
	search->found = &found;
	search->prefix = strcmp(normal, ".") == 0 ? "" : normal;
	r = prepare(search, &expressions, err);
	if (r == 0)
		r = search_path(search, normal, err);
	if (r == 0)
		*ret_matches = found;
	return r;
}
