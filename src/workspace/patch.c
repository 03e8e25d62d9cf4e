/* The part of print.h that speaks git's patch format. */
#include "base/own.h"
#include "workspace/diff.h"
#include "workspace/git.h"
#include "workspace/print.h"
#include "workspace/print_part.h"

#include <errno.h>
#include <string.h>

static const char no_id[] = "0000000000000000000000000000000000000000";

/* What git tells apart. 0: something that it does not know. */
static unsigned git_mode(const struct entry *entry)
{
	if (entry->kind == ENTRY_LINK)
		return 0120000;
	if (entry->kind == ENTRY_FILE)
		return entry->mode & 0100 ? 0100755 : 0100644;
	return 0;
}

/* One side of one file of a patch. */
struct side {
	const char *path;
	unsigned mode; /* 0: not there */
	struct content content;
	char id[GIT_ID_TEXT];
};

static int load(const struct changes *changes, const struct change *change, enum change_side which, struct side *side)
{
	const struct entry *entry = which == CHANGE_BEFORE ? &change->before : &change->after;
	int r = 0;

	side->path = change->path;
	side->mode = git_mode(entry);
	memcpy(side->id, no_id, sizeof(no_id));
	if (side->mode)
		r = changes_load(changes, change, which, PRINT_FILE_MAX, &side->content);
	if (r == 0 && side->mode)
		git_blob_id(side->content.bytes, side->content.n, side->id);
	return r;
}

/* Names with blanks end in a tab, for readers that look for a time stamp there. */
static void put_file_line(struct str *out, const char *mark, const char *prefix, const struct side *side)
{
	str_add(out, mark);
	if (!side->mode)
		str_add(out, "/dev/null");
	else
		git_put_name(out, prefix, side->path);
	str_add(out, side->mode && strchr(side->path, ' ') ? "\t\n" : "\n");
}

static void put_modes(struct str *out, const struct side *a, const struct side *b)
{
	if (!a->mode)
		str_printf(out, "new file mode %06o\n", b->mode);
	else if (!b->mode)
		str_printf(out, "deleted file mode %06o\n", a->mode);
	else if (a->mode != b->mode)
		str_printf(out, "old mode %06o\nnew mode %06o\n", a->mode, b->mode);
}

static void put_header(struct str *out, const struct side *a, const struct side *b)
{
	str_add(out, "diff --git ");
	git_put_name(out, "a/", a->path);
	str_add_char(out, ' ');
	git_put_name(out, "b/", b->path);
	str_add_char(out, '\n');
	put_modes(out, a, b);
}

static int put_texts(struct str *out, const struct side *a, const struct side *b)
{
	autodiff struct diff diff = { 0 };
	struct diff_hunk hunk = { 0 };
	int r = diff_make(a->content.bytes, a->mode ? a->content.n : 0, b->content.bytes, b->mode ? b->content.n : 0, &diff);

	if (r < 0)
		return r;
	if (diff.added + diff.removed == 0) /* an empty file has no hunk */
		return 0;
	put_file_line(out, "--- ", "a/", a);
	put_file_line(out, "+++ ", "b/", b);
	while (diff_next(&diff, &hunk))
		diff_print(&diff, &hunk, out);
	return 0;
}

static int put_contents(struct str *out, const struct side *a, const struct side *b)
{
	size_t a_n = a->mode ? a->content.n : 0, b_n = b->mode ? b->content.n : 0;

	if (strcmp(a->id, b->id) == 0)
		return 0;
	str_printf(out, "index %s..%s", a->id, b->id);
	if (a->mode == b->mode)
		str_printf(out, " %06o", a->mode);
	str_add_char(out, '\n');
	if (!diff_is_binary(a->content.bytes, a_n) && !diff_is_binary(b->content.bytes, b_n))
		return put_texts(out, a, b);
	str_add(out, "GIT binary patch\n");
	git_put_literal(out, b->content.bytes ? b->content.bytes : "", b_n);
	git_put_literal(out, a->content.bytes ? a->content.bytes : "", a_n);
	return 0;
}

static int put_file(struct str *out, const struct side *a, const struct side *b)
{
	if (!a->mode && !b->mode)
		return 0;
	if (a->mode == b->mode && strcmp(a->id, b->id) == 0) /* what changed is nothing that git keeps */
		return 0;
	put_header(out, a, b);
	return put_contents(out, a, b);
}

/* A file in a link's place, or the other way round, is for git one that goes and one that comes. */
static int put_change(const struct changes *changes, const struct change *change, struct str *out)
{
	struct side a = { 0 }, b = { 0 };
	int r = load(changes, change, CHANGE_BEFORE, &a);

	if (r == 0)
		r = load(changes, change, CHANGE_AFTER, &b);
	if (r == 0 && a.mode && b.mode && (a.mode ^ b.mode) & S_IFMT) {
		struct side none = { .path = change->path };

		memcpy(none.id, no_id, sizeof(no_id));
		r = put_file(out, &a, &none);
		if (r == 0)
			r = put_file(out, &none, &b);
	} else if (r == 0) {
		r = put_file(out, &a, &b);
	}
	content_done(&a.content);
	content_done(&b.content);
	return r;
}

static void put_rename(const struct changes *changes, const struct change *change, struct str *out)
{
	const struct change *origin = changes_find(changes, change->from);
	struct side a = { .path = change->from, .mode = git_mode(&origin->before) };
	struct side b = { .path = change->path, .mode = git_mode(&change->after) };

	put_header(out, &a, &b);
	str_add(out, "similarity index 100%\nrename from ");
	git_put_name(out, "", a.path);
	str_add(out, "\nrename to ");
	git_put_name(out, "", b.path);
	str_add_char(out, '\n');
}

static int patch_one(const struct changes *changes, const struct printer *printer, const struct change *change, struct str *out)
{
	if (change->to && changes_print_selects(printer->paths, printer->paths_n, change->to))
		return 0; /* told with its addition */
	if (change->from && changes_print_selects(printer->paths, printer->paths_n, change->from)) {
		put_rename(changes, change, out);
		return 0;
	}
	return put_change(changes, change, out);
}

int changes_print_patch(const struct changes *changes, const struct printer *printer, struct err *err)
{
	return print_each(changes, printer, patch_one, err);
}
