#include "policy/decide.h"

#include "base/glob.h"
#include "base/path.h"

#include <string.h>

static bool takes_back(const struct policy_rule *exception, const struct policy_rule *rule, const char *path)
{
	if (!exception->except)
		return false;
	if (exception->existing)
		return rule->existing && glob_covers(exception->glob, path);
	return exception->glob ? glob_match(exception->glob, path) : strcmp(exception->path, path) == 0;
}

static bool is_taken_back(const struct rule_vec *list, const struct policy_rule *rule, const char *path)
{
	if (!rule->place)
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (takes_back(&list->at[i], rule, path))
			return true;
	return false;
}

/* Cuts the last component off. False when that was the last one. */
static bool climb(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return false;
	*slash = '\0';
	return true;
}

static size_t glob_place(const struct rule_vec *list, const struct policy_rule *rule, const char *path)
{
	char prefix[PATH_BYTES_MAX + 1];
	size_t n = strlen(path);

	if (n > PATH_BYTES_MAX || !glob_covers(rule->glob, path))
		return 0;
	memcpy(prefix, path, n + 1);
	if (rule->not_directory) /* so nothing lies below it */
		return glob_match(rule->glob, path) && !is_taken_back(list, rule, path) ? n : 0;
	do {
		if (glob_match(rule->glob, prefix) && !is_taken_back(list, rule, prefix))
			return strlen(prefix);
	} while (climb(prefix));
	return 0;
}

size_t policy_rule_place(const struct rule_vec *list, const struct policy_rule *rule, const char *path)
{
	if (rule->except)
		return 0;
	if (rule->glob)
		return glob_place(list, rule, path);
	if (!path_within(path, rule->path) || is_taken_back(list, rule, rule->path))
		return 0;
	return strlen(rule->path);
}

struct longest {
	size_t n;
	const struct policy_rule *rule;
};

static struct longest find_longest(const struct rule_vec *list, const char *path, struct longest best)
{
	for (size_t i = 0; i < list->n; i++) {
		size_t n = policy_rule_place(list, &list->at[i], path);

		if (n > best.n)
			best = (struct longest){ n, &list->at[i] };
	}
	return best;
}

struct policy_verdict policy_decide(const struct policy *policy, const char *path, enum policy_access access)
{
	const struct policy_filesystem *fs = &policy->filesystem;
	const struct longest nothing = { 0, NULL };

	struct longest own = find_longest(&fs->hidden, path, nothing);

	if (own.rule || fs->disabled)
		return (struct policy_verdict){ !own.rule, own.rule };

	struct longest write = find_longest(&fs->allow_write, path, nothing);
	struct longest no_read = find_longest(&fs->deny_read, path, nothing);
	struct longest read = find_longest(&fs->allow_read, path, write);

	if (no_read.n > read.n)
		return (struct policy_verdict){ false, no_read.rule };
	if (access == POLICY_READ)
		return (struct policy_verdict){ true, read.rule };

	struct longest no_write = find_longest(&fs->deny_write, path, nothing);

	if (no_write.n >= write.n)
		return (struct policy_verdict){ false, no_write.rule };
	return (struct policy_verdict){ true, write.rule };
}

bool policy_allows(const struct policy *policy, const char *path, enum policy_access access)
{
	return policy_decide(policy, path, access).allowed;
}
