#include "compile/links.h"

#include "base/path.h"
#include "compile/stage.h"

#include <errno.h>

static const char *real_of(const struct compile *c, const char *path)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, path);

	return entry ? entry->real : path;
}

static int add_link(struct compile *c, const struct survey_entry *entry, struct link_vec *links)
{
	const char *parent = path_parent(c->arena, entry->path);
	struct link link = { .text = entry->link, .real = entry->real };
	struct link *added;

	if (!parent)
		return compile_no_memory(c);
	parent = real_of(c, parent);
	link.place = path_join(c->arena, parent, path_name(entry->path));
	if (path_normalize(c->arena, entry->link, parent, NULL, &link.target) < 0)
		link.target = entry->real; /* text that leaves the root, or begins with "~": the kernel knew better */
	added = link.place ? link_vec_add(links, c->arena) : NULL;
	if (!added)
		return compile_no_memory(c);
	*added = link;
	return 0;
}

int links_on_way(struct compile *c, const char *path, struct link_vec *ret_links)
{
	size_t n = 0;
	int r = 0;

	while (r == 0 && path[n]) {
		const struct survey_entry *entry;
		const char *prefix;

		n += 1 + strcspn(path + n + 1, "/");
		prefix = arena_dup_n(c->arena, path, n);
		if (!prefix)
			return compile_no_memory(c);
		entry = survey_find(c->inputs->survey, prefix);
		if (entry && entry->link)
			r = add_link(c, entry, ret_links);
	}
	return r;
}

/* Does the link stand in top, or pass through it, and end outside? */
static bool leaves(const struct link *link, const char *real, const char *top)
{
	if (path_within(real, top))
		return false;
	return path_within(link->place, top) || (strcmp(link->target, link->real) != 0 && path_within(link->target, top));
}

static bool any_leaves(const struct link_vec *links, const char *real, const char *top)
{
	for (size_t i = 0; i < links->n; i++)
		if (leaves(&links->at[i], real, top))
			return true;
	return false;
}

int links_leave(struct compile *c, const char *path, const char **ret_top)
{
	const char *real = real_of(c, path), *workspace = real_of(c, c->policy->workspace.path);
	struct link_vec links = { 0 };
	int r = strcmp(real, path) == 0 ? 0 : links_on_way(c, path, &links);

	*ret_top = NULL;
	if (r < 0 || links.n == 0)
		return r;
	if (any_leaves(&links, real, workspace))
		*ret_top = workspace;
	for (size_t i = 0; i < c->claims.n && !*ret_top; i++) {
		const struct claim *claim = &c->claims.at[i];
		const char *top = real_of(c, claim->rule->path);

		if (claim->effect == EFFECT_ALLOW_WRITE && any_leaves(&links, real, top))
			*ret_top = top;
	}
	return 0;
}
