#include "session/snapshots.h"

#include <string.h>

void snapshots_print_one_json(const struct snapshot *snapshot, struct str *out)
{
	str_printf(out, "{\"version\":%d,\"created\":%llu,\"bytes\":%llu,\"files\":%llu,\"tree\":\"%s\",\"name\":", SNAPSHOT_VERSION,
	           (unsigned long long)snapshot->created_s, (unsigned long long)snapshot->bytes, (unsigned long long)snapshot->files,
	           session_tree_name(snapshot->tree));
	str_add_json_text(out, snapshot->name);
	str_add(out, ",\"session\":");
	str_add_json_text(out, snapshot->session);
	str_add(out, ",\"path\":");
	str_add_json_text(out, snapshot->path);
	str_add(out, ",\"base\":");
	str_add_json_text(out, snapshot->base);
	str_add(out, "}");
}

void snapshots_print(const struct snapshot_vec *list, struct str *out)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct snapshot *snapshot = &list->at[i];
		const char *what = snapshot->fault  ? snapshot->fault
		                   : snapshot->base ? snapshot->base
		                   : snapshot->path ? snapshot->path
		                                    : "-";

		str_printf(out, "%-24s %-8s %10llu bytes  ", snapshot->name,
		           snapshot->fault     ? "broken"
		           : snapshot->session ? session_tree_name(snapshot->tree)
		                               : "imported",
		           (unsigned long long)snapshot->bytes);
		str_add_escaped(out, what, strlen(what));
		str_add_char(out, '\n');
	}
}

void snapshots_print_json(const struct snapshot_vec *list, struct str *out)
{
	str_add_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		const struct snapshot *snapshot = &list->at[i];

		str_add(out, i ? ",\n " : "");
		if (!snapshot->fault) {
			snapshots_print_one_json(snapshot, out);
			continue;
		}
		str_add(out, "{\"name\":");
		str_add_json_text(out, snapshot->name);
		str_add(out, ",\"fault\":");
		str_add_json_text(out, snapshot->fault);
		str_add_char(out, '}');
	}
	str_add(out, "]\n");
}
