/*
 * host.h: a described host, in place of the real one: answers the compiler's questions as engine_survey would, from a table.
 *
 * A line of the table: kind (d directory, f file, l link, c device or socket), mode, uid, gid, path; for a link then " -> " and its text. In
 * paths \n is a newline and \\ a backslash. '#' starts a comment. Parents come before what is in them.
 */
#ifndef COFFER_TESTS_GOLDEN_HOST_H
#define COFFER_TESTS_GOLDEN_HOST_H

#include "base/glob.h"
#include "base/path.h"
#include "plan/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_DEVICE = 0x801, HOST_LINKS_MAX = 40, HOST_DEPTH_DEFAULT = 16 };

struct host_node {
	const char *path, *link;
	enum survey_kind kind;
	unsigned mode, uid, gid;
	uint64_t ino;
};
VEC(struct host_node, host_node_vec)

struct host_tree {
	struct arena *arena;
	struct host_node_vec nodes;
	unsigned uid, gid; /* who looks */
};

static inline void host_add(struct host_tree *host, struct host_node node)
{
	struct host_node *added = host_node_vec_add(&host->nodes, host->arena);

	node.ino = 1000 + host->nodes.n;
	if (added)
		*added = node;
}

static inline const struct host_node *host_find(const struct host_tree *host, const char *path)
{
	for (size_t i = 0; i < host->nodes.n; i++)
		if (strcmp(host->nodes.at[i].path, path) == 0)
			return &host->nodes.at[i];
	return NULL;
}

static inline const char *host_unescape(struct arena *arena, const char *text, size_t n)
{
	char *to = arena_alloc(arena, n + 1);
	size_t len = 0;

	for (size_t i = 0; i < n && to; i++) {
		bool escaped = text[i] == '\\' && i + 1 < n;

		i += escaped;
		to[len++] = escaped && text[i] == 'n' ? '\n' : text[i];
	}
	return to;
}

static inline void host_read_line(struct host_tree *host, const char *line, size_t n)
{
	struct host_node node = { 0 };
	char kind, text[4096];
	int at = 0;

	if (n == 0 || line[0] == '#' || n >= sizeof(text))
		return;
	memcpy(text, line, n);
	text[n] = '\0';
	if (sscanf(text, "%c %o %u %u %n", &kind, &node.mode, &node.uid, &node.gid, &at) != 4)
		return;

	const char *arrow = kind == 'l' ? strstr(text + at, " -> ") : NULL;
	size_t path = arrow ? (size_t)(arrow - text - at) : n - (size_t)at;

	node.kind = kind == 'd' ? SURVEY_DIR : kind == 'f' ? SURVEY_FILE : kind == 'l' ? SURVEY_LINK : SURVEY_OTHER;
	node.path = host_unescape(host->arena, text + at, path);
	node.link = arrow ? host_unescape(host->arena, arrow + 4, strlen(arrow + 4)) : NULL;
	host_add(host, node);
}

static inline void host_read(struct host_tree *host, const char *table)
{
	while (*table) {
		size_t n = strcspn(table, "\n");

		host_read_line(host, table, n);
		table += n + (table[n] == '\n');
	}
}

static inline bool host_may_search(const struct host_tree *host, const struct host_node *dir)
{
	if (host->uid == 0)
		return true;
	if (dir->uid == host->uid)
		return dir->mode & 0100;
	return dir->mode & (dir->gid == host->gid ? 0010 : 0001);
}

enum host_end { HOST_FOUND, HOST_ABSENT, HOST_STUCK };

/* A walk along a path, link by link. The answer is in `here`. */
struct host_walk {
	const struct host_tree *host;
	const char *here, *rest;
	unsigned links;
};

/* One component further. HOST_ABSENT when there is none of that name. */
static inline enum host_end host_step(struct host_walk *walk)
{
	const struct host_node *dir = host_find(walk->host, walk->here), *node;
	size_t n = strcspn(walk->rest, "/");
	const char *name = arena_dup_n(walk->host->arena, walk->rest, n), *next;

	if (dir && dir->kind == SURVEY_DIR && !host_may_search(walk->host, dir))
		return HOST_STUCK;
	next = strcmp(name, "..") == 0 ? path_parent(walk->host->arena, walk->here) : path_join(walk->host->arena, walk->here, name);
	node = host_find(walk->host, next);
	walk->rest += n;
	walk->rest += strspn(walk->rest, "/");
	if (!node || (*walk->rest && node->kind != SURVEY_DIR && !node->link)) {
		walk->here = path_join(walk->host->arena, next, walk->rest);
		return HOST_ABSENT;
	}
	if (!node->link) {
		walk->here = next;
		return HOST_FOUND;
	}
	if (walk->links++ == HOST_LINKS_MAX)
		return HOST_STUCK;
	walk->rest = arena_printf(walk->host->arena, "%s/%s", node->link + strspn(node->link, "/"), walk->rest);
	if (node->link[0] == '/')
		walk->here = "/";
	return HOST_FOUND;
}

static inline enum host_end host_walk(struct host_walk *walk)
{
	enum host_end end = HOST_FOUND;

	while (*walk->rest && end == HOST_FOUND)
		end = host_step(walk);
	return end;
}

/* The link text of the path's own last component, its parent's links followed. */
static inline const char *host_own_link(const struct host_tree *host, const char *path)
{
	struct host_walk walk = { .host = host, .here = "/", .rest = path_parent(host->arena, path) + 1 };
	const struct host_node *node;

	if (!path[1] || host_walk(&walk) != HOST_FOUND)
		return NULL;
	node = host_find(host, path_join(host->arena, walk.here, path_name(path)));
	return node ? node->link : NULL;
}

static inline void host_look(const struct host_tree *host, const char *path, struct survey *survey)
{
	struct survey_entry *entry = survey_vec_add(&survey->entries, host->arena);
	struct host_walk walk = { .host = host, .here = "/", .rest = path + 1 };
	enum host_end end = host_walk(&walk);
	const struct host_node *node = end == HOST_FOUND ? host_find(host, walk.here) : NULL;

	if (!entry)
		return;
	*entry = (struct survey_entry){ .path = path, .link = host_own_link(host, path), .real = path, .kind = SURVEY_UNREADABLE };
	if (end == HOST_STUCK)
		return;
	entry->real = walk.here;
	entry->kind = node ? node->kind : SURVEY_ABSENT;
	if (!node)
		return;
	entry->dev = HOST_DEVICE;
	entry->ino = node->ino;
	entry->mode = node->mode;
	entry->uid = node->uid;
	entry->gid = node->gid;
}

static inline void host_match(const struct host_tree *host, struct match_vec *matches, const char *key, const char *path)
{
	struct survey_match *match = match_vec_add(matches, host->arena);

	if (match)
		*match = (struct survey_match){ .glob = key, .path = path };
}

static inline unsigned host_depth(const char *below)
{
	unsigned n = 1;

	for (; *below; below++)
		n += *below == '/';
	return n;
}

/* What a walk below the question's top finds: it follows the top's links and none below. */
static inline void host_answer_glob(const struct host_tree *host, const struct survey_question *q, struct survey *survey)
{
	struct host_walk top = { .host = host, .here = "/", .rest = q->path + 1 };
	unsigned most = q->depth_max ? q->depth_max : HOST_DEPTH_DEFAULT;

	if (host_walk(&top) != HOST_FOUND)
		return;
	for (size_t i = 0; i < host->nodes.n; i++) {
		const char *below = path_below(host->nodes.at[i].path, top.here);
		const char *path = below && *below && host_depth(below) <= most ? path_join(host->arena, q->path, below) : NULL;

		if (!path || !glob_match(q->glob, path))
			continue;
		host_match(host, &survey->matches, q->glob, path);
		host_look(host, path, survey);
	}
}

static inline void host_answer_list(const struct host_tree *host, const struct survey_question *q, struct survey *survey)
{
	for (size_t i = 0; i < host->nodes.n; i++) {
		const char *path = host->nodes.at[i].path;

		if (!path[1] || strcmp(path_parent(host->arena, path), q->path) != 0)
			continue;
		host_match(host, &survey->listings, q->path, path);
		host_look(host, path, survey);
	}
}

static inline void host_survey(const struct host_tree *host, const struct question_vec *questions, struct survey *ret_survey)
{
	for (size_t i = 0; i < questions->n; i++) {
		const struct survey_question *q = &questions->at[i];

		host_look(host, q->path, ret_survey);
		if (q->list)
			host_answer_list(host, q, ret_survey);
		if (q->glob)
			host_answer_glob(host, q, ret_survey);
	}
	survey_finish(ret_survey);
}

#endif
