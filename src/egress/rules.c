#include "egress/rules.h"
#include "egress/rules_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { UID_DEFAULT = 0x7c0effff }; /* far above what distributions give to people, services and containers */

int rules_refuse(const struct reading *reading, const char *where, const char *wanted, const json_t *value)
{
	char found[80];

	json_describe(value, found, sizeof(found));
	(void)err_set(reading->err, ERR_POLICY, EINVAL, "wants %s, not %s", wanted, value ? found : "nothing");
	err_at(reading->err, where);
	return -EINVAL;
}

/* A member of a pattern's object: text, or NULL where it may be missing. */
static const char *dup_member(const struct reading *reading, const json_t *object, const char *name)
{
	return arena_dup(reading->arena, json_string_value(json_object_get(object, name)));
}

static int read_pattern(const struct reading *reading, const char *where, const json_t *value, bool deny)
{
	struct domain_rules *domains = &reading->rules->domains;
	const json_t *text = json_object_get(value, "text"), *why = json_object_get(value, "why"),
		     *reason = json_object_get(value, "reason");
	struct domain_pattern parsed, *pattern;
	const char *copy;

	if (!json_is_object(value) || !json_is_string(text) || !json_is_string(why) || (reason && !json_is_string(reason)))
		return rules_refuse(reading, where, "an object with text, why and perhaps reason", value);
	copy = dup_member(reading, value, "text");
	if (!copy)
		return err_set(reading->err, ERR_LIMIT, ENOMEM, "too many rules");
	if (domain_pattern_parse(copy, deny, &parsed) < 0)
		return rules_refuse(reading, arena_printf(reading->arena, "%s/text", where), "a domain pattern", text);
	parsed.why = dup_member(reading, value, "why");
	parsed.reason = dup_member(reading, value, "reason");
	pattern = domain_vec_add(deny ? &domains->denied : &domains->allowed, reading->arena);
	if (!pattern || !parsed.why)
		return err_set(reading->err, ERR_LIMIT, ENOMEM, "too many rules");
	*pattern = parsed;
	return 0;
}

static int read_range(const struct reading *reading, const char *where, const json_t *value)
{
	struct address_range range, *added;

	if (!json_is_string(value) || address_range_parse(json_string_value(value), &range) < 0)
		return rules_refuse(reading, where, "an address range", value);
	added = address_range_vec_add(&reading->rules->addresses.denied, reading->arena);
	if (!added)
		return err_set(reading->err, ERR_LIMIT, ENOMEM, "too many rules");
	*added = range;
	return 0;
}

static int read_list(const struct reading *reading, const char *name, const json_t *value)
{
	const json_t *entry;
	char where[64];
	size_t i;
	int r = 0;

	if (!json_is_array(value))
		return rules_refuse(reading, name, "a list", value);
	json_array_foreach (value, i, entry) {
		snprintf(where, sizeof(where), "%s/%zu", name, i);
		if (strcmp(name, "/denied_addresses") == 0)
			r = read_range(reading, where, entry);
		else
			r = read_pattern(reading, where, entry, strcmp(name, "/denied") == 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_dialect(const struct reading *reading, const char *where, const json_t *value)
{
	const char *dialect = json_string_value(value);

	if (!dialect || (strcmp(dialect, "srt") != 0 && strcmp(dialect, "coffer") != 0))
		return rules_refuse(reading, where, "\"coffer\" or \"srt\"", value);
	reading->rules->is_srt = strcmp(dialect, "srt") == 0;
	return 0;
}

static int read_ways(const struct reading *reading, const char *name, const json_t *value)
{
	const char *where;
	int r = ways_read(name, value, reading->arena, &reading->rules->ways, &where);

	if (r == -ENOMEM)
		return err_set(reading->err, ERR_LIMIT, ENOMEM, "too many rules");
	return r < 0 ? rules_refuse(reading, where, "what a way out may be", value) : 0;
}

static bool is_uid(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) < UINT32_MAX;
}

static int read_member(const struct reading *reading, const char *name, const json_t *value)
{
	struct filter_rules *rules = reading->rules;
	const char *where = arena_printf(reading->arena, "/%.40s", name);

	if (!where)
		return err_set(reading->err, ERR_LIMIT, ENOMEM, "too many rules");
	if (strcmp(name, "allowed") == 0 || strcmp(name, "denied") == 0 || strcmp(name, "denied_addresses") == 0)
		return read_list(reading, where, value);
	if (strcmp(name, "dialect") == 0)
		return read_dialect(reading, where, value);
	if (ways_is_member(name))
		return read_ways(reading, name, value);
	if (strcmp(name, "allow_private") == 0 && json_is_boolean(value))
		rules->addresses.allow_private = json_is_true(value);
	else if (strcmp(name, "uid") == 0 && is_uid(value))
		rules->uid = (uint32_t)json_integer_value(value);
	else
		return rules_read_tls_member(reading, where, name, value);
	return 0;
}

static int read_document(const struct reading *reading, const char *text, size_t n)
{
	autojson json_t *doc = NULL;
	const char *name;
	json_t *value;
	int r = json_read(text, n, "rules", &doc, reading->err);

	if (r < 0)
		return r;
	if (!json_is_object(doc))
		return rules_refuse(reading, "/", "an object", doc);
	json_object_foreach (doc, name, value) {
		r = read_member(reading, name, value);
		if (r < 0)
			return r;
	}
	return 0;
}

int filter_rules_read(const char *text, size_t n, struct arena *arena, struct filter_rules *ret_rules, struct err *err)
{
	struct filter_rules rules = { .uid = UID_DEFAULT };
	const struct reading reading = { arena, &rules, err };
	const char *second = memchr(text, '\0', n);
	size_t first_n = second ? (size_t)(second - text) : n;
	int r = read_document(&reading, text, first_n);

	if (r == 0 && second)
		r = read_document(&reading, second + 1, n - first_n - 1);
	if (r == 0)
		*ret_rules = rules;
	return r;
}

int filter_rules_load(int fd, struct arena *arena, struct filter_rules *ret_rules, struct err *err)
{
	const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int have = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *text;
	int r;

	if (have < 0 || (have & seals) != seals)
		return err_set(err, ERR_SETUP, EPERM, "not a sealed memfd");
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > RULES_BYTES_MAX)
		return err_set(err, ERR_SETUP, EINVAL, "empty or too large");
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return err_set(err, ERR_SETUP, errno, "cannot be mapped");
	r = filter_rules_read(text, (size_t)st.st_size, arena, ret_rules, err);
	(void)munmap(text, (size_t)st.st_size);
	return r;
}
