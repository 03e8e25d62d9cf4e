/*
 * Theory of operation. Patterns are tried from the last to the first. For a name that is simple. A directory that moves takes names
 * along that nobody looks at: d/hooks becomes .git/hooks when d becomes .git. Whether a pattern could match below a directory depends on
 * how far into the pattern the directory's own path leads, and that is a set of places: after each prefix of the pattern, in whole
 * components, that matches the path. Two paths with the same set have the same below them. So a move is refused when the new path has
 * reached a place that the old one had not: then something could match that did not before.
 */
#include "plan/rules.h"

#include "base/glob.h"
#include "base/path.h"

#include <limits.h>
#include <string.h>

enum { REGIONS = 2, PATTERNS = 3 /* operands of INIT */ };

static char find_region(const struct rules *rules, const char *path, uint32_t *ret_rule)
{
	const char *longest = "w";
	uint32_t index = 0;

	*ret_rule = 0;
	for (const char *s = NULL; (s = plan_list_next(rules->plan, rules->init, REGIONS, s));) {
		index++;
		if (path_within(path, s + 1) && strlen(s) > strlen(longest)) {
			longest = s;
			*ret_rule = index;
		}
	}
	return longest[0];
}

char rules_region(const struct rules *rules, const char *path, uint32_t *ret_rule)
{
	char letter = find_region(rules, path, ret_rule);

	if (letter == 'p')
		return 'w';
	return letter;
}

bool rules_private(const struct rules *rules, const char *path)
{
	uint32_t rule;

	return find_region(rules, path, &rule) == 'p';
}

/* Does the directory at `path` lead to this place in the pattern, the end of a component? */
static bool reaches(const char *pattern, size_t end, const char *path)
{
	char prefix[PATH_MAX];

	memcpy(prefix, pattern, end);
	prefix[end] = '\0';
	return glob_match(prefix, path);
}

static bool ends_in_first_any_depth(const char *pattern, size_t end)
{
	const char *first = strstr(pattern, "/**/");

	return first && (size_t)(first + 3 - pattern) == end;
}

/*
 * Could the pattern match below `to` what it did not match below `from`? Below a new link there may be anything. But what a pattern's first `**`
 * covers is mostly a whole writable tree, wherever in it the link leads, with its own names refused: there only a component that names the link
 * counts. Not so below a name: .git/modules/x that leads to a directory of another name would bring hooks that nobody refused.
 */
static bool opens_up(const char *pattern, const char *from, const char *to)
{
	size_t len = strlen(pattern);

	if (len >= PATH_MAX)
		return true;
	for (size_t end = 1; end < len; end++) {
		if (pattern[end] != '/' || !reaches(pattern, end, to))
			continue;
		if (from ? !reaches(pattern, end, from) : !ends_in_first_any_depth(pattern, end))
			return true;
	}
	return false;
}

/* What a pattern has to say about a question: nothing, yes, or that those before it have none. */
enum word { NOTHING, FORBIDS, PERMITS };

struct question {
	const char *path, *from; /* from: of a move */
	bool is_dir;
};

static enum word say_name(const char *pattern, const struct question *q)
{
	switch (pattern[0]) {
	case 'w':
		return glob_covers(pattern + 1, q->path) ? FORBIDS : NOTHING;
	case 'd':
		return glob_match(pattern + 1, q->path) && !q->is_dir ? FORBIDS : NOTHING;
	case '+':
		return glob_covers(pattern + 1, q->path) ? PERMITS : NOTHING;
	default:
		return NOTHING;
	}
}

static enum word say_read(const char *pattern, const struct question *q)
{
	if ((pattern[0] != 'r' && pattern[0] != 'o') || !glob_covers(pattern + 1, q->path))
		return NOTHING;
	return pattern[0] == 'r' ? FORBIDS : PERMITS;
}

static enum word say_carry(const char *pattern, const struct question *q)
{
	switch (pattern[0]) {
	case '+':
		return glob_covers(pattern + 1, q->path) ? PERMITS : NOTHING;
	case 'w':
	case 'd':
		return opens_up(pattern + 1, q->from, q->path) ? FORBIDS : NOTHING;
	default:
		return NOTHING;
	}
}

/* What an exception let be made must not come out from under its name, either: .git/HEAD is fine, and x/HEAD is not when .git becomes x. */
static enum word say_leave(const char *pattern, const struct question *q)
{
	return pattern[0] == '+' && opens_up(pattern + 1, q->path, q->from) ? FORBIDS : NOTHING;
}

/* What must not be read must not come out from under its name, either. */
static enum word say_escape(const char *pattern, const struct question *q)
{
	if (pattern[0] == 'o')
		return glob_covers(pattern + 1, q->from) ? PERMITS : NOTHING;
	return pattern[0] == 'r' && opens_up(pattern + 1, q->path, q->from) ? FORBIDS : NOTHING;
}

/* The last of the patterns that has something to say. */
static uint32_t ask(const struct rules *rules, enum word (*say)(const char *, const struct question *), const struct question *question)
{
	uint32_t index = (uint32_t)plan_list_count(rules->plan, rules->init, REGIONS), found = 0;

	for (const char *s = NULL; (s = plan_list_next(rules->plan, rules->init, PATTERNS, s));) {
		enum word word = say(s, question);

		index++;
		if (word != NOTHING)
			found = word == FORBIDS ? index : 0;
	}
	return found;
}

uint32_t rules_name(const struct rules *rules, const char *path, bool is_dir)
{
	return ask(rules, say_name, &(struct question){ .path = path, .is_dir = is_dir });
}

bool rules_socket(const struct rules *rules, const char *path)
{
	for (const char *s = NULL; (s = plan_list_next(rules->plan, rules->init, PATTERNS, s));)
		if (s[0] == 's' && glob_covers(s + 1, path))
			return true;
	return false;
}

/* A descriptor that was opened with O_PATH leads to a file that has lost its name since: the kernel says so behind the name. */
uint32_t rules_read(const struct rules *rules, const char *path)
{
	static const char gone[] = " (deleted)";
	size_t n = strlen(path), tail = sizeof(gone) - 1;
	uint32_t rule = ask(rules, say_read, &(struct question){ .path = path });
	char name[PATH_MAX];

	if (rule || n <= tail || n - tail >= sizeof(name) || strcmp(path + n - tail, gone) != 0)
		return rule;
	memcpy(name, path, n - tail);
	name[n - tail] = '\0';
	return ask(rules, say_read, &(struct question){ .path = name });
}

uint32_t rules_carry(const struct rules *rules, const char *from, const char *to)
{
	const struct question question = { .path = to, .from = from };
	uint32_t rule = ask(rules, say_carry, &question);

	if (!rule && from)
		rule = ask(rules, say_leave, &question);
	return rule || !from ? rule : ask(rules, say_escape, &question);
}
