/*
 * The journal of an apply. Its first form, without "committed", only names the hidden directory: what to clear away. The second one replaces it
 * when all contents are ready, and has every step: what to go on with.
 */
#include "base/own.h"
#include "base/path.h"
#include "workspace/apply_part.h"
#include "workspace/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put_step(const struct step *step, struct str *out)
{
	const struct entry *before = &step->before, *after = &step->after;

	str_printf(out, "%d %llu %u %llu %llu %lld ", (int)step->kind, (unsigned long long)step->number, before->type,
	           (unsigned long long)before->ino, (unsigned long long)before->size, (long long)before->mtime_ns);
	str_printf(out, "%u %u %u %u %llu %lld ", after->type, after->mode, after->uid, after->gid, (unsigned long long)after->ino,
	           (long long)after->mtime_ns);
	keep_put_path(out, step->path);
	str_add_char(out, '\n');
}

int journal_write(struct apply *apply, bool committed)
{
	autostr struct str out = { 0 };

	str_init(&out, KEEP_LIST_MAX);
	keep_list_start(&out, "journal");
	str_printf(&out, "%d ", committed);
	keep_put_path(&out, apply->hidden);
	str_add_char(&out, '\n');
	for (size_t i = 0; committed && i < apply->steps.n; i++)
		put_step(&apply->steps.at[i], &out);
	return keep_list_write(apply->workspace->dir, "journal", &out);
}

static bool take_small(char **line, uint32_t *ret)
{
	uint64_t number;

	if (!keep_take_unsigned(line, &number) || number > UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool read_before(char **line, struct step *step)
{
	struct entry *before = &step->before;
	uint32_t kind;

	if (!take_small(line, &kind) || kind >= STEP_KINDS_END || !keep_take_unsigned(line, &step->number) ||
	    !take_small(line, &before->type))
		return false;
	step->kind = (enum step_kind)kind;
	before->kind = before->type ? ENTRY_OTHER : ENTRY_NONE; /* only whether there is one matters from here on */
	return keep_take_unsigned(line, &before->ino) && keep_take_unsigned(line, &before->size) &&
	       keep_take_number(line, &before->mtime_ns);
}

static bool read_after(char **line, struct step *step)
{
	struct entry *after = &step->after;

	if (!take_small(line, &after->type) || !take_small(line, &after->mode) || !take_small(line, &after->uid) ||
	    !take_small(line, &after->gid))
		return false;
	if (!keep_take_unsigned(line, &after->ino) || !keep_take_number(line, &after->mtime_ns))
		return false;
	step->path = keep_take_path(line);
	return step->path && !*line;
}

int journal_read(struct apply *apply, bool *ret_committed)
{
	struct keep_text lines;
	uint64_t committed = 0;
	char *line, *hidden;
	int r = keep_list_read(apply->workspace->dir, "journal", "journal", &apply->changes.arena, &lines);

	if (r < 0)
		return r;
	line = keep_line(&lines);
	if (!line || !keep_take_unsigned(&line, &committed) || committed > 1 || !(hidden = keep_take_path(&line)) || line)
		return -EBADMSG;
	if (!apply_is_hidden(hidden))
		return -EBADMSG;
	snprintf(apply->hidden, sizeof(apply->hidden), "%s", hidden);
	while ((line = keep_line(&lines))) {
		struct step *step = step_vec_add(&apply->steps, &apply->changes.arena);

		if (!step)
			return -ENOMEM;
		if (!read_before(&line, step) || !read_after(&line, step))
			return -EBADMSG;
	}
	*ret_committed = committed;
	return 0;
}

int journal_remove(struct apply *apply)
{
	autofd int dir = openat(apply->workspace->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || unlinkat(dir, "journal", 0) < 0 || fsync(dir) < 0)
		return -errno;
	return 0;
}
