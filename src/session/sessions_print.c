#include "base/num.h"
#include "session/sessions.h"

#include <string.h>

static const char *const
    states[] = { [SESSION_RUNNING] = "running", [SESSION_PAUSED] = "paused", [SESSION_STOPPED] = "stopped", [SESSION_BROKEN] = "broken" };

static void add_number(struct str *out, const char *key, uint64_t value, bool known)
{
	str_printf(out, ",\"%s\":", key);
	if (known)
		str_printf(out, "%llu", (unsigned long long)value);
	else
		str_add(out, "null");
}

const char *sessions_workdir(const struct session_entry *entry)
{
	return entry->tree == SESSION_TREE_EMPTY && entry->path ? entry->path : entry->cwd;
}

void sessions_print_one_json(const struct session_entry *entry, struct str *out)
{
	bool lives = entry->state == SESSION_RUNNING || entry->state == SESSION_PAUSED;

	str_add(out, "{\"id\":");
	str_add_json_text(out, entry->id);
	str_printf(out, ",\"state\":\"%s\",\"cwd\":", states[entry->state]);
	str_add_json_text(out, entry->cwd ? entry->cwd : "");
	str_printf(out, ",\"tree\":\"%s\",\"workdir\":", session_tree_name(entry->tree));
	str_add_json_text(out, entry->cwd ? sessions_workdir(entry) : "");
	str_add(out, ",\"workspace\":");
	str_add_json_text(out, entry->tree == SESSION_TREE_HOST ? NULL : entry->workspace);
	add_number(out, "created", entry->created_s, entry->state != SESSION_BROKEN);
	add_number(out, "ttl_ms", entry->ttl_ms, entry->ttl_ms);
	add_number(out, "idle_ms", entry->idle_ms, entry->idle_ms);
	add_number(out, "ends_in_ms", entry->live.ends_in_ms, lives && entry->live.ends_in_ms != UINT64_MAX);
	add_number(out, "idle_for_ms", entry->live.idle_for_ms, lives);
	add_number(out, "execs", entry->live.execs, lives);
	add_number(out, "memory_bytes", entry->live.memory_bytes, lives && entry->live.memory_bytes);
	str_printf(out, ",\"labels\":%s", entry->labels ? entry->labels : "{}");
	if (entry->fault) {
		str_add(out, ",\"fault\":");
		str_add_json_text(out, entry->fault);
	}
	str_add_char(out, '}');
}

void sessions_print_json(const struct session_entry_vec *entries, struct str *out)
{
	str_add_char(out, '[');
	for (size_t i = 0; i < entries->n; i++) {
		if (i)
			str_add_char(out, ',');
		sessions_print_one_json(&entries->at[i], out);
	}
	str_add(out, "]\n");
}

static void print_one(const struct session_entry *entry, struct str *out)
{
	str_printf(out, "%-24s %-8s ", entry->id, states[entry->state]);
	if (entry->state == SESSION_RUNNING && entry->live.execs)
		str_printf(out, "%u executing  ", entry->live.execs);

	const char *last = entry->fault ? entry->fault : entry->cwd ? entry->cwd : "";

	str_add_escaped(out, last, strlen(last));
	str_add_char(out, '\n');
}

void sessions_print(const struct session_entry_vec *entries, struct str *out)
{
	for (size_t i = 0; i < entries->n; i++)
		print_one(&entries->at[i], out);
}
