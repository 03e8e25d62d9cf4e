/* Facts as JSON: one table of fields, used in both directions. Every key must be there, so that a fact is never false by accident. */
#include "plan/facts.h"

#include "base/json.h"
#include "base/own.h"
#include "base/path.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum kind { TEXT, TEXT_OR_NULL, FLAG, U32, U64, CONTROLLER };

static const struct field {
	enum kind kind;
	const char *key;
	size_t offset;
} fields[] = {
#define FIELD(name) #name, offsetof(struct facts, name)
	{ TEXT, FIELD(kernel) },
	{ TEXT, FIELD(arch) },
	{ U32, FIELD(uid) },
	{ U32, FIELD(gid) },
	{ FLAG, FIELD(first_user_namespace) },
	{ U32, FIELD(uid_above) },
	{ U32, FIELD(sandbox_uid) },
	{ FLAG, FIELD(root) },
	{ FLAG, FIELD(user_namespaces) },
	{ TEXT_OR_NULL, FIELD(user_namespaces_why) },
	{ U32, FIELD(landlock_abi) },
	{ FLAG, FIELD(seccomp_notify) },
	{ TEXT_OR_NULL, FIELD(tracing_why) },
	{ FLAG, FIELD(mount_api) },
	{ FLAG, FIELD(idmapped_mounts) },
	{ FLAG, FIELD(overlay) },
	{ FLAG, FIELD(nftables) },
	{ FLAG, FIELD(proc_mountable) },
	{ FLAG, FIELD(rlimit_nproc_per_userns) },
	{ CONTROLLER, FIELD(memory) },
	{ CONTROLLER, FIELD(pids) },
	{ CONTROLLER, FIELD(cpu) },
	{ CONTROLLER, FIELD(freezer) },
	{ CONTROLLER, FIELD(cpuacct) },
	{ FLAG, FIELD(cgroup_kill) },
	{ FLAG, FIELD(swap_accounting) },
	{ U32, FIELD(cpus) },
	{ U64, FIELD(memory_bytes) },
#undef FIELD
};

static const char *const versions[] = { [FACTS_CGROUP_NONE] = "none", [FACTS_CGROUP_V1] = "v1", [FACTS_CGROUP_V2] = "v2" };

/* What all readers below need, and the JSON pointer of what is being read. */
struct reader {
	struct arena *arena;
	const char *source;
	char pointer[128];
	struct err *err;
};

/* Says where in the document the reader is: "/memory/dir"; without a member, "/memory". */
static void point_at(struct reader *reader, const char *key, const char *member)
{
	snprintf(reader->pointer, sizeof(reader->pointer), "/%s%s%s", key, member ? "/" : "", member ? member : "");
}

static int put_where(struct reader *reader, int r)
{
	char where[ERR_WHERE_MAX];

	snprintf(where, sizeof(where), "%s %s", reader->source, reader->pointer);
	err_at(reader->err, where);
	return r;
}

static int refuse(struct reader *reader, const json_t *found, const char *wanted)
{
	char text[128];

	json_describe(found, text, sizeof(text));
	return put_where(reader, err_set(reader->err, ERR_POLICY, EINVAL, "%s is wanted, found %s", wanted, text));
}

static int refuse_key(struct reader *reader)
{
	return put_where(reader, err_set(reader->err, ERR_POLICY, EINVAL, "no such fact"));
}

static int read_text(struct reader *reader, const json_t *value, const char **ret)
{
	if (!json_is_string(value))
		return refuse(reader, value, "a string");

	const char *text = arena_dup(reader->arena, json_string_value(value));

	if (!text)
		return put_where(reader, err_set(reader->err, ERR_LIMIT, ENOMEM, "facts do not fit into the memory of the request"));
	*ret = text;
	return 0;
}

static int read_number(struct reader *reader, const json_t *value, uint64_t most, uint64_t *ret)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number > most)
		return refuse(reader, value, most == UINT32_MAX ? "a number from 0 to 4294967295" : "a number from 0 up");
	*ret = (uint64_t)number;
	return 0;
}

static int read_version(struct reader *reader, const json_t *value, enum facts_cgroup *ret)
{
	const char *text = json_is_string(value) ? json_string_value(value) : "";

	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		if (strcmp(text, versions[i]) == 0) {
			*ret = (enum facts_cgroup)i;
			return 0;
		}
	return refuse(reader, value, "\"none\", \"v1\" or \"v2\"");
}

static int read_dir(struct reader *reader, const json_t *value, bool wanted, const char **ret)
{
	if (!wanted)
		return json_is_null(value) ? 0 : refuse(reader, value, "null");
	if (!json_is_string(value) || !path_is_normal(json_string_value(value)))
		return refuse(reader, value, "an absolute, normal path");
	return read_text(reader, value, ret);
}

static int read_controller(struct reader *reader, json_t *value, const char *key, struct facts_controller *ret)
{
	struct facts_controller c = { 0 };
	const char *member;
	json_t *ignored;

	if (!json_is_object(value))
		return refuse(reader, value, "an object");
	json_object_foreach (value, member, ignored) {
		point_at(reader, key, member);
		if (strcmp(member, "version") != 0 && strcmp(member, "dir") != 0)
			return refuse_key(reader);
	}

	point_at(reader, key, "version");
	int r = read_version(reader, json_object_get(value, "version"), &c.version);

	if (r < 0)
		return r;
	point_at(reader, key, "dir");
	r = read_dir(reader, json_object_get(value, "dir"), c.version != FACTS_CGROUP_NONE, &c.dir);
	if (r < 0)
		return r;
	*ret = c;
	return 0;
}

static int read_flag(struct reader *reader, const json_t *value, bool *ret)
{
	if (!json_is_boolean(value))
		return refuse(reader, value, "true or false");
	*ret = json_is_true(value);
	return 0;
}

static int read_u32(struct reader *reader, const json_t *value, uint32_t *ret)
{
	uint64_t number = 0;
	int r = read_number(reader, value, UINT32_MAX, &number);

	if (r == 0)
		*ret = (uint32_t)number;
	return r;
}

static int read_field(struct reader *reader, const struct field *field, json_t *value, struct facts *facts)
{
	void *at = (char *)facts + field->offset;

	switch (field->kind) {
	case TEXT_OR_NULL:
		return json_is_null(value) ? 0 : read_text(reader, value, at);
	case TEXT:
		return read_text(reader, value, at);
	case FLAG:
		return read_flag(reader, value, at);
	case U32:
		return read_u32(reader, value, at);
	case U64:
		return read_number(reader, value, UINT64_MAX, at);
	case CONTROLLER:
		return read_controller(reader, value, field->key, at);
	}
	return -EINVAL;
}

static bool is_known(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strcmp(fields[i].key, key) == 0)
			return true;
	return false;
}

static int read_all(struct reader *reader, json_t *doc, struct facts *ret)
{
	struct facts facts = { 0 };
	const char *key;
	json_t *ignored;

	if (!json_is_object(doc))
		return refuse(reader, doc, "an object");
	json_object_foreach (doc, key, ignored) {
		point_at(reader, key, NULL);
		if (!is_known(key))
			return refuse_key(reader);
	}
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		point_at(reader, fields[i].key, NULL);

		int r = read_field(reader, &fields[i], json_object_get(doc, fields[i].key), &facts);

		if (r < 0)
			return r;
	}
	*ret = facts;
	return 0;
}

int facts_read(struct arena *arena, const char *text, size_t n, const char *source, struct facts *ret, struct err *err)
{
	struct reader reader = { .arena = arena, .source = source, .pointer = "/", .err = err };
	json_t *doc autojson = NULL;
	int r = json_read(text, n, source, &doc, err);

	return r < 0 ? r : read_all(&reader, doc, ret);
}

static void print_controller(const struct facts_controller *c, struct str *out)
{
	str_printf(out, "{\"version\": \"%s\", \"dir\": ", versions[c->version]);
	str_add_json_text(out, c->version == FACTS_CGROUP_NONE ? NULL : c->dir);
	str_add_char(out, '}');
}

static void print_field(const struct field *field, const struct facts *facts, struct str *out)
{
	const void *at = (const char *)facts + field->offset;

	switch (field->kind) {
	case TEXT:
	case TEXT_OR_NULL:
		str_add_json_text(out, *(const char *const *)at);
		break;
	case FLAG:
		str_add(out, *(const bool *)at ? "true" : "false");
		break;
	case U32:
		str_printf(out, "%u", *(const uint32_t *)at);
		break;
	case U64:
		str_printf(out, "%llu", (unsigned long long)*(const uint64_t *)at);
		break;
	case CONTROLLER:
		print_controller(at, out);
		break;
	}
}

void facts_print_json(const struct facts *facts, struct str *out)
{
	str_add(out, "{\n");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		str_printf(out, "  \"%s\": ", fields[i].key);
		print_field(&fields[i], facts, out);
		str_add(out, i + 1 < ARRAY_LEN(fields) ? ",\n" : "\n");
	}
	str_add(out, "}\n");
}

static const struct {
	const char *cause, *fix;
} fixes[] = {
	{ "apparmor_restrict_unprivileged_userns",
	  "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or load an AppArmor profile with \"userns,\" for coffer-launch" },
	{ "unprivileged_userns_clone", "sudo sysctl -w kernel.unprivileged_userns_clone=1" },
	{ "max_user_namespaces", "sudo sysctl -w user.max_user_namespaces=15000" },
	{ "max_mnt_namespaces", "sudo sysctl -w user.max_mnt_namespaces=15000" },
	{ "max_pid_namespaces", "sudo sysctl -w user.max_pid_namespaces=15000" },
	{ "max_net_namespaces", "sudo sysctl -w user.max_net_namespaces=15000" },
	{ "chroot", "enter the tree by pivot_root rather than chroot, as bwrap, systemd-nspawn and container engines do" },
};

const char *facts_user_namespaces_fix(const struct facts *facts)
{
	for (size_t i = 0; facts->user_namespaces_why && i < ARRAY_LEN(fixes); i++)
		if (strstr(facts->user_namespaces_why, fixes[i].cause))
			return fixes[i].fix;
	return "allow them where this system runs; in a container: --security-opt seccomp=unconfined --security-opt apparmor=unconfined";
}
