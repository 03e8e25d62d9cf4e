#include "workspace/print.h"

#include "base/own.h"
#include "base/path.h"
#include "base/utf8.h"
#include "workspace/diff.h"
#include "workspace/print_part.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool changes_print_selects(const char *const *paths, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(paths[i]);

		if (len == 0 || (strncmp(path, paths[i], len) == 0 && (path[len] == '\0' || path[len] == '/')))
			return true;
	}
	return n == 0;
}

const char *changes_print_kind(const struct change *change)
{
	static const char *const name[] = { "added", "modified", "deleted" };

	return change->from ? "renamed" : name[change->kind];
}

int print_flush(const struct printer *printer, struct str *out)
{
	int r = out->failed ? -ENOMEM : 0;

	if (r == 0 && out->len)
		r = printer->put(printer->data, out->text, out->len);
	str_clear(out);
	return r;
}

int print_each(const struct changes *changes, const struct printer *printer, print_one *one, struct err *err)
{
	autostr struct str out = { 0 };

	str_init(&out, PRINT_ROOM);
	for (size_t i = 0; i < changes->list.n; i++) {
		const struct change *change = &changes->list.at[i];

		if (!change_shows(change) || !changes_print_selects(printer->paths, printer->paths_n, change->path))
			continue;
		int r = one(changes, printer, change, &out);

		if (r == 0)
			r = print_flush(printer, &out);
		if (r == -EFBIG)
			return err_set(err, ERR_LIMIT, EFBIG, "%s has more than %d MiB: leave it out", change->path, PRINT_FILE_MAX >> 20);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: %s", change->path, strerror(-r));
	}
	return 0;
}

static int name_one(const struct changes *changes, const struct printer *printer, const struct change *change, struct str *out)
{
	static const char letter[] = { [CHANGE_ADDED] = 'A', [CHANGE_MODIFIED] = 'M', [CHANGE_DELETED] = 'D' };

	(void)changes;
	if (change->to && changes_print_selects(printer->paths, printer->paths_n, change->to))
		return 0;
	if (change->from && changes_print_selects(printer->paths, printer->paths_n, change->from)) {
		str_add(out, "R ");
		str_add_escaped(out, change->from, strlen(change->from));
		str_add(out, " -> ");
	} else {
		str_printf(out, "%c", change->what & CHANGE_TYPE ? 'T' : letter[change->kind]);
		str_add_char(out, ' ');
	}
	str_add_escaped(out, change->path, strlen(change->path));
	if ((change->kind == CHANGE_DELETED ? change->before.kind : change->after.kind) == ENTRY_DIR)
		str_add_char(out, '/');
	str_add_char(out, '\n');
	return 0;
}

int changes_print_names(const struct changes *changes, const struct printer *printer, struct err *err)
{
	return print_each(changes, printer, name_one, err);
}

static bool has_text(const struct change *change)
{
	bool before = change->before.kind == ENTRY_FILE || change->before.kind == ENTRY_LINK;
	bool after = change->after.kind == ENTRY_FILE || change->after.kind == ENTRY_LINK;

	if (change->kind == CHANGE_MODIFIED && !(change->what & (CHANGE_CONTENT | CHANGE_TYPE | CHANGE_TARGET)))
		return false;
	return (before || after) && !change->fault && change->before.size <= PRINT_FILE_MAX && change->after.size <= PRINT_FILE_MAX;
}

int changes_print_count(const struct changes *changes, const struct change *change, size_t ret_lines[2], bool *ret_binary)
{
	autocontent struct content a = { 0 }, b = { 0 };
	int r;

	ret_lines[0] = ret_lines[1] = 0;
	*ret_binary = false;
	if (!has_text(change) || change->from || change->to)
		return 0;
	r = changes_load(changes, change, CHANGE_BEFORE, PRINT_FILE_MAX, &a);
	if (r == 0)
		r = changes_load(changes, change, CHANGE_AFTER, PRINT_FILE_MAX, &b);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	*ret_binary = diff_is_binary(a.bytes, a.n) || diff_is_binary(b.bytes, b.n);
	if (*ret_binary)
		return 0;
	autodiff struct diff diff = { 0 };

	r = diff_make(a.bytes, a.n, b.bytes, b.n, &diff);
	ret_lines[0] = diff.added;
	ret_lines[1] = diff.removed;
	return r;
}

static int stat_one(const struct changes *changes, const struct printer *printer, const struct change *change, struct str *out)
{
	size_t lines[2];
	bool binary;
	int r = changes_print_count(changes, change, lines, &binary);

	if (r < 0)
		return r;
	name_one(changes, printer, change, out);
	if (out->len == 0)
		return 0;
	out->len--; /* the newline */
	if (binary)
		str_printf(out, " | %llu -> %llu bytes", (unsigned long long)change->before.size, (unsigned long long)change->after.size);
	else if (lines[0] + lines[1])
		str_printf(out, " | +%zu -%zu", lines[0], lines[1]);
	if (change->what & CHANGE_MODE)
		str_printf(out, " | mode %04o -> %04o", change->before.mode, change->after.mode);
	if (change->what & CHANGE_ATTRIBUTES)
		str_add(out, " | attributes");
	if (change->fault)
		str_printf(out, " | cannot be read: %s", strerror(change->fault));
	str_add_char(out, '\n');
	return 0;
}

int changes_print_stat(const struct changes *changes, const struct printer *printer, struct err *err)
{
	size_t count[3] = { 0 }, n = 0;
	char sum[128];
	int r = print_each(changes, printer, stat_one, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < changes->list.n; i++) {
		const struct change *change = &changes->list.at[i];

		if (change_shows(change) && changes_print_selects(printer->paths, printer->paths_n, change->path) && ++n)
			count[change->kind]++;
	}
	snprintf(sum, sizeof(sum), "%zu changed: %zu added, %zu modified, %zu deleted\n", n, count[CHANGE_ADDED], count[CHANGE_MODIFIED],
	         count[CHANGE_DELETED]);
	r = printer->put(printer->data, sum, strlen(sum));
	return r < 0 ? err_set(err, ERR_SETUP, -r, "cannot write the summary: %s", strerror(-r)) : 0;
}
