/* credentials.files and credentials.envVars. */
#include "policy/set.h"

#include "base/regex.h"
#include "policy/environment.h"

#include <errno.h>
#include <string.h>

static int read_name(struct setter *setter, void *object, const json_t *value, const char *below)
{
	if (!json_is_string(value) || !environment_name_is_valid(json_string_value(value), false))
		return setter_refuse(setter, below, value, "the name of a variable: letters, digits and \"_\", no digit first");
	return setter_read_text(setter, &((struct credential *)object)->name, value, below);
}

static int read_path(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return setter_read_text(setter, &((struct credential *)object)->name, value, below);
}

static int read_mode(struct setter *setter, void *object, const json_t *value, const char *below)
{
	const char *text = json_string_value(value);

	if (!text || (strcmp(text, "mask") != 0 && strcmp(text, "deny") != 0))
		return setter_refuse(setter, below, value, "\"deny\" or \"mask\"");
	((struct credential *)object)->mask = text[0] == 'm';
	return 0;
}

static int read_extract(struct setter *setter, void *object, const json_t *value, const char *below)
{
	struct credential *credential = object;
	struct regex *regex = NULL;
	const char *fault = NULL;
	int r = setter_read_text(setter, &credential->extract, value, below);

	if (r < 0 || !credential->extract)
		return r;
	r = regex_compile(credential->extract, setter->arena, &regex, &fault);
	if (r == -EINVAL)
		return setter_refuse(setter, below, value, arena_printf(setter->arena, "a regular expression; this one %s", fault));
	if (r == 0 && regex_groups(regex) == 0)
		return setter_refuse(setter, below, value, "a regular expression with a group, which is the secret: \"token: (\\\\S+)\"");
	return r;
}

static int read_no_match(struct setter *setter, void *object, const json_t *value, const char *below)
{
	static const char *const words[] = { [CREDENTIAL_WARN] = "warn", [CREDENTIAL_DENY] = "deny", [CREDENTIAL_ERROR] = "error" };
	const char *text = json_string_value(value);

	for (unsigned i = CREDENTIAL_WARN; text && i <= CREDENTIAL_ERROR; i++)
		if (strcmp(text, words[i]) == 0) {
			((struct credential *)object)->no_match = i;
			return 0;
		}
	return setter_refuse(setter, below, value, "\"warn\", \"deny\" or \"error\"");
}

static int read_decode(struct setter *setter, void *object, const json_t *value, const char *below)
{
	if (!json_is_string(value) || strcmp(json_string_value(value), "jwt") != 0)
		return setter_refuse(setter, below, value, "\"jwt\"");
	((struct credential *)object)->jwt = true;
	return 0;
}

static int read_claims(struct setter *setter, void *object, const json_t *value, const char *below)
{
	if (json_is_array(value) && json_array_size(value) == 0)
		return setter_refuse(setter, below, value, "at least one claim; without maskClaims the whole token is masked");
	return setter_read_list(setter, &((struct credential *)object)->claims, value, below, setter_add_text);
}

static int read_duplicates(struct setter *setter, void *object, const json_t *value, const char *below)
{
	if (!json_is_boolean(value))
		return setter_refuse(setter, below, value, "true or false");
	((struct credential *)object)->mask_duplicates = json_is_true(value);
	return 0;
}

static int read_hosts(struct setter *setter, void *object, const json_t *value, const char *below)
{
	if (json_is_array(value) && json_array_size(value) == 0)
		return setter_refuse(setter, below, value,
		                     "at least one host: it would be masked and never put in; left away it means all allowedDomains");
	return setter_read_list(setter, &((struct credential *)object)->hosts, value, below, setter_add_pattern);
}

/* What no member is wrong about by itself. NULL: nothing. */
static const char *find_fault(const struct credential *credential, const json_t *entry)
{
	if (!credential->name)
		return credential->is_file ? "a path" : "a name";
	if (!json_object_get(entry, "mode"))
		return "a mode: \"deny\" or \"mask\"";
	if (credential->claims.n > 0 && !credential->jwt)
		return "maskClaims together with decode: they are claims of a decoded token";
	if (credential->is_file && credential->mask && credential->name[strlen(credential->name) - 1] == '/')
		return "a single file for mode \"mask\"; a directory can only be denied";
	return NULL;
}

static int add_credential(struct setter *setter, void *list, const json_t *entry, const char *below)
{
	static const struct setter_member members[] = {
		{ "name", read_name },
		{ "path", read_path },
		{ "mode", read_mode },
		{ "extract", read_extract },
		{ "decode", read_decode },
		{ "onExtractNoMatch", read_no_match },
		{ "maskClaims", read_claims },
		{ "injectHosts", read_hosts },
		{ "maskDuplicates", read_duplicates },
		{ NULL, NULL },
	};
	struct credential *slot, credential = { .why = setter_why(setter, below) };
	size_t before = setter->faults->n;
	const char *fault;
	int r;

	credential.is_file = strcmp(setter->field->pointer, "/credentials/files") == 0;
	if (json_object_get(entry, credential.is_file ? "name" : "path"))
		return setter_refuse(setter, below, entry, credential.is_file ? "a path, and no name" : "a name, and no path");
	r = credential.why ? setter_read_members(setter, members, &credential, entry, below) : -ENOMEM;
	if (r < 0 || setter->faults->n > before)
		return r;
	fault = find_fault(&credential, entry);
	if (fault)
		return setter_refuse(setter, below, entry, fault);
	if (credential.is_file && !credential.mask)
		return policy_add_rule(setter->arena, &setter->policy->filesystem.deny_read, credential.name, false, credential.why);
	slot = credential_vec_add(list, setter->arena);
	if (!slot)
		return -ENOMEM;
	*slot = credential;
	return 0;
}

static int read_id_variable(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return setter_read_text(setter, &((struct credential_aws_pair *)object)->id, value, below);
}

static int read_key_variable(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return setter_read_text(setter, &((struct credential_aws_pair *)object)->key, value, below);
}

static int read_token_variable(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return setter_read_text(setter, &((struct credential_aws_pair *)object)->token, value, below);
}

static int add_aws_pair(struct setter *setter, void *list, const json_t *entry, const char *below)
{
	static const struct setter_member members[] = {
		{ "accessKeyIdVar", read_id_variable },
		{ "secretAccessKeyVar", read_key_variable },
		{ "sessionTokenVar", read_token_variable },
		{ NULL, NULL },
	};
	struct credential_aws_pair *slot, pair = { .why = setter_why(setter, below) };
	size_t before = setter->faults->n;
	int r = pair.why ? setter_read_members(setter, members, &pair, entry, below) : -ENOMEM;

	if (r < 0 || setter->faults->n > before)
		return r;
	if (!pair.id || !pair.key)
		return setter_refuse(setter, below, entry, "accessKeyIdVar and secretAccessKeyVar");
	slot = credential_aws_pair_vec_add(list, setter->arena);
	if (!slot)
		return -ENOMEM;
	*slot = pair;
	return 0;
}

int setter_set_aws_pairs(struct setter *setter, const json_t *value)
{
	return setter_read_list(setter, setter_place(setter), value, "", add_aws_pair);
}

static int read_passing(struct setter *setter, bool *place, const json_t *value, const char *below)
{
	const char *text = json_string_value(value);

	if (!text || (strcmp(text, "deny") != 0 && strcmp(text, "passthrough") != 0))
		return setter_refuse(setter, below, value, "\"deny\" or \"passthrough\"");
	*place = text[0] == 'p';
	return 0;
}

static int read_streaming(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return read_passing(setter, &((struct credential_aws_passes *)object)->streaming_passes, value, below);
}

static int read_presigned(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return read_passing(setter, &((struct credential_aws_passes *)object)->presigned_passes, value, below);
}

static int read_sigv4a(struct setter *setter, void *object, const json_t *value, const char *below)
{
	return read_passing(setter, &((struct credential_aws_passes *)object)->sigv4a_passes, value, below);
}

int setter_set_sigv4(struct setter *setter, const json_t *value)
{
	static const struct setter_member members[] = {
		{ "streaming", read_streaming },
		{ "presigned", read_presigned },
		{ "sigv4a", read_sigv4a },
		{ NULL, NULL },
	};

	return setter_read_members(setter, members, setter_place(setter), value, "");
}

int setter_set_credentials(struct setter *setter, const json_t *value)
{
	return setter_read_list(setter, setter_place(setter), value, "", add_credential);
}
