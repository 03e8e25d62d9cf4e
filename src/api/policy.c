#include "api/api.h"

#include "base/json.h"
#include "base/own.h"
#include "base/path.h"
#include "policy/environment.h"
#include "policy/merge.h"
#include "policy/profiles.h"
#include "policy/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int new (struct coffer_policy **ret_policy, int (*init)(struct policy *policy, struct arena *arena), struct coffer_error *error)
{
	struct coffer_policy *policy = calloc(1, sizeof(*policy));
	if (!policy)
		return api_no_memory(error);
	arena_init(&policy->arena, API_ARENA_MAX);
	if (init(&policy->policy, &policy->arena) < 0) {
		coffer_policy_free(policy);
		return api_no_memory(error);
	}
	*ret_policy = policy;
	return 0;
}

int coffer_policy_new(struct coffer_policy **ret_policy, struct coffer_error *error)
{
	return new (ret_policy, policy_init, error);
}

int coffer_policy_new_srt(struct coffer_policy **ret_policy, struct coffer_error *error)
{
	return new (ret_policy, policy_init_srt, error);
}

void coffer_policy_free(struct coffer_policy *policy)
{
	if (policy)
		arena_done(&policy->arena);
	free(policy);
}

const struct coffer_error *coffer_policy_problem(const struct coffer_policy *policy, size_t index)
{
	return index < policy->problems.n ? &policy->problems.at[index] : NULL;
}

/* Each fault in the form that callers know. When memory is out the first, in *error, has to do. */
static void keep_problems(struct coffer_policy *policy, const struct fault_vec *faults)
{
	policy->problems.n = 0;
	for (size_t i = 0; i < faults->n; i++) {
		const struct fault_vec one = { .at = &faults->at[i], .n = 1, .room = 1 };
		struct err err = { 0 };
		if (policy_faults_err(&one, &err) == 0)
			continue; /* a warning */
		struct coffer_error *problem = api_error_vec_add(&policy->problems, &policy->arena);
		if (!problem)
			return;
		(void)api_fail(-1, &err, problem);
	}
}

static int finish(struct coffer_policy *policy, int r, const struct fault_vec *faults, const struct err *err)
{
	policy->problems.n = 0;
	if (r < 0)
		keep_problems(policy, faults);
	return r < 0 && err->code == ERR_NONE ? -ENOMEM : r;
}

/* The first document adds to the default, each later one is a request that tightens. */
static int read_document(struct coffer_policy *policy, const struct policy_document *document, struct err *err)
{
	struct fault_vec faults = { 0 };
	struct policy *target = &policy->policy;
	if (policy->narrowed) {
		target = ARENA_NEW(&policy->arena, struct policy);
		if (!target)
			return err_set(err, ERR_LIMIT, ENOMEM, "out of memory");
		policy_init_request(target);
	}
	int r = policy_read(target, &policy->arena, document, &faults, err);
	if (r == 0 && policy->narrowed)
		r = policy_tighten(&policy->policy, target, &policy->arena);
	policy->narrowed = policy->narrowed || r == 0;
	return finish(policy, r, &faults, err);
}

static int answer(int r, const struct err *err, struct coffer_error *error)
{
	return r < 0 && err->code == ERR_NONE ? api_no_memory(error) : api_fail(r, err, error);
}

int coffer_policy_read(struct coffer_policy *policy, const char *text, size_t n, const char *source, struct coffer_error *error)
{
	struct err err = { 0 };
	const struct policy_document document = {
		.text = text, .n = n, .source = source ? source : "settings", .dialect = policy->policy.dialect
	};
	return answer(read_document(policy, &document, &err), &err, error);
}

/* As large as a document may be, and one byte more: then the reader says that it is too large. */
static int read_file(const char *path, char *text, size_t room, size_t *ret_n)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t n = 0;
	if (fd < 0)
		return -errno;
	for (ssize_t got = 1; got > 0 && n < room; n += (size_t)got) {
		got = read(fd, text + n, room - n);
		if (got < 0)
			return -errno;
	}
	*ret_n = n;
	return 0;
}

/* Its path goes into the policy, so that no run under it rewrites the file. */
static int keep_file(struct coffer_policy *policy, const char *path)
{
	char cwd[PATH_BYTES_MAX + 1];
	const char *normal = NULL, **slot;
	if (!getcwd(cwd, sizeof(cwd)) || path_normalize(&policy->arena, path, cwd, NULL, &normal) < 0)
		return 0; /* no path that anything inside could lead to */
	slot = text_vec_add(&policy->policy.settings, &policy->arena);
	if (!slot)
		return -ENOMEM;
	*slot = normal;
	return 0;
}

int coffer_policy_read_file(struct coffer_policy *policy, const char *path, struct coffer_error *error)
{
	struct err err = { 0 };
	size_t n = 0;
	autofree char *text = malloc(JSON_DOCUMENT_MAX + 1);
	if (!text)
		return api_no_memory(error);
	policy->problems.n = 0;
	int r = read_file(path, text, JSON_DOCUMENT_MAX + 1, &n);
	if (r < 0)
		return api_fail(err_set(&err, r == -ENOENT ? ERR_NOTFOUND : ERR_DENIED, -r, "settings file %s: %s", path, strerror(-r)),
		                &err, error);
	r = coffer_policy_read(policy, text, n, path, error);
	if (r == 0 && keep_file(policy, path) < 0)
		return api_no_memory(error);
	return r;
}

int coffer_policy_profile(struct coffer_policy *policy, const char *name, struct coffer_error *error)
{
	struct err err = { 0 };
	const struct policy_document *document = policy_profile(name);
	policy->problems.n = 0;
	if (!document)
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "there is no profile \"%s\": there are %s", name, policy_profile_names()),
		                &err, error);
	return answer(read_document(policy, document, &err), &err, error);
}

const char *coffer_profile_at(size_t index)
{
	const struct policy_profile_info *profile = policy_profile_at(index);
	return profile ? profile->name : NULL;
}

const char *coffer_profile_sentence(size_t index)
{
	const struct policy_profile_info *profile = policy_profile_at(index);
	return profile ? profile->sentence : NULL;
}

int coffer_policy_set(struct coffer_policy *policy, const char *name, const char *value, struct coffer_error *error)
{
	return coffer_policy_set_why(policy, name, value, NULL, error);
}

int coffer_policy_set_why(struct coffer_policy *policy, const char *name, const char *value, const char *why, struct coffer_error *error)
{
	struct err err = { 0 };
	struct fault_vec faults = { 0 };
	const struct policy_field *field = api_field(name);
	policy->problems.n = 0;
	if (!field)
		return api_no_field(name, error);
	const struct policy_word word = { .field = field, .value = value, .why = why ? why : name };
	int r = policy_set(&policy->policy, &policy->arena, &word, &faults, &err);
	return answer(finish(policy, r, &faults, &err), &err, error);
}

/* A path of the caller's own: literal, and its own provenance. */
static int add_rule(struct coffer_policy *policy, struct rule_vec *list, const char *path, struct coffer_error *error)
{
	struct err err = { 0 };
	policy->problems.n = 0;
	if (!path || !*path)
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "an empty path names nothing"), &err, error);
	const char *text = arena_dup(&policy->arena, path);
	return text && policy_add_rule(&policy->arena, list, text, true, "the calling program") == 0 ? 0 : api_no_memory(error);
}

int coffer_policy_allow_read(struct coffer_policy *policy, const char *path, struct coffer_error *error)
{
	return add_rule(policy, &policy->policy.filesystem.allow_read, path, error);
}

int coffer_policy_allow_write(struct coffer_policy *policy, const char *path, struct coffer_error *error)
{
	return add_rule(policy, &policy->policy.filesystem.allow_write, path, error);
}

int coffer_policy_deny_read(struct coffer_policy *policy, const char *path, struct coffer_error *error)
{
	return add_rule(policy, &policy->policy.filesystem.deny_read, path, error);
}

int coffer_policy_deny_write(struct coffer_policy *policy, const char *path, struct coffer_error *error)
{
	return add_rule(policy, &policy->policy.filesystem.deny_write, path, error);
}

int coffer_policy_variable(struct coffer_policy *policy, const char *name, const char *value, struct coffer_error *error)
{
	struct err err = { 0 };
	policy->problems.n = 0;
	if (!name || !environment_name_is_valid(name, false))
		return api_fail(err_set(&err, ERR_USAGE, EINVAL, "\"%s\" is no name of a variable", name ? name : ""), &err, error);
	return environment_set(&policy->policy, &policy->arena, name, value, "the calling program") < 0 ? api_no_memory(error) : 0;
}

int coffer_policy_tighten(struct coffer_policy *policy, const struct coffer_policy *other, struct coffer_error *error)
{
	policy->problems.n = 0;
	return policy_tighten(&policy->policy, &other->policy, &policy->arena) < 0 ? api_no_memory(error) : 0;
}
