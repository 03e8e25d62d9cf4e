/*
 * What has to be known about the host before a plan can be made: each path that a rule names, with the directories above it (for links
 * on the way, for pins, for what cannot be searched), each glob, and a few places of the host's that every sandbox replaces.
 */
#include "base/path.h"
#include "compile/stage.h"

#include <stdlib.h>

struct asker {
	struct compile *c;
	struct question_vec questions;
	bool lists; /* ask for the entries of directories above what is hidden (rung two) */
};

static int add(struct asker *asker, struct survey_question question)
{
	struct survey_question *added = question_vec_add(&asker->questions, asker->c->arena);

	if (!added)
		return compile_no_memory(asker->c);
	*added = question;
	return 0;
}

static int ask(struct asker *asker, const char *path)
{
	return add(asker, (struct survey_question){ .path = path });
}

/* The path and all directories above it. */
static int ask_way(struct asker *asker, const char *path, bool list)
{
	int r = ask(asker, path);

	for (size_t n = strlen(path); r == 0 && n > 1;) {
		const char *above;

		while (n > 1 && path[--n] != '/')
			;
		above = arena_dup_n(asker->c->arena, path, n ? n : 1);
		r = above ? add(asker, (struct survey_question){ .path = above, .list = list }) : compile_no_memory(asker->c);
	}
	return r;
}

static unsigned components(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '/';
	return n + 1;
}

/* A protected name of several components lies that much deeper than the directory that is looked for. */
static unsigned depth_of(const struct compile *c, const struct policy_rule *rule)
{
	const char *tail = strstr(rule->glob, "/**/");

	return rule->place && tail ? c->policy->filesystem.search_depth + components(tail + 4) : 0;
}

static int ask_claim(struct asker *asker, const struct claim *claim)
{
	const struct policy_rule *rule = claim->rule;
	bool list = asker->lists && claim->effect == EFFECT_DENY_READ;
	struct survey_question question = { .path = rule->path, .glob = rule->glob, .list = list };
	int r = ask_way(asker, rule->path, list);

	if (r == 0 && rule->glob) {
		question.depth_max = depth_of(asker->c, rule);
		r = add(asker, question);
	}
	return r == 0 && rule->name ? ask_way(asker, rule->name, list) : r;
}

static int ask_all(struct asker *asker, const char *(*question)(size_t i))
{
	const char *path;
	int r = 0;

	for (size_t i = 0; r == 0 && (path = question(i)); i++)
		r = asker->lists ? ask_way(asker, path, i < fresh_places()) : ask(asker, path);
	return r;
}

static int ask_workspace(struct asker *asker)
{
	const struct input_workspace *workspace = &asker->c->inputs->workspace;
	const char *dir;
	int r;

	if (workspace->how == INPUT_WORKSPACE_SHARED)
		return 0;
	dir = workspace_dir(asker->c);
	if (!dir)
		return compile_no_memory(asker->c);
	r = ask_way(asker, workspace->path, false);
	if (r == 0)
		r = ask_way(asker, dir, false);
	return r == 0 && workspace->base ? ask_way(asker, workspace->base, false) : r;
}

/* The same path once: what one question wants listed, the other does not mind. */
static int compare(const void *a, const void *b)
{
	const struct survey_question *left = a, *right = b;
	int order = region_compare_paths(left->path, right->path);

	if (order)
		return order;
	if (!left->glob != !right->glob)
		return left->glob ? 1 : -1;
	order = left->glob ? strcmp(left->glob, right->glob) : 0;
	return order ? order : (right->list > left->list) - (right->list < left->list);
}

static bool is_same(const struct survey_question *a, const struct survey_question *b)
{
	return strcmp(a->path, b->path) == 0 && (a->glob ? b->glob && strcmp(a->glob, b->glob) == 0 : !b->glob);
}

static void thin_out(struct question_vec *questions)
{
	size_t kept = 0;

	if (questions->n)
		qsort(questions->at, questions->n, sizeof(questions->at[0]), compare);
	for (size_t i = 0; i < questions->n; i++)
		if (kept == 0 || !is_same(&questions->at[kept - 1], &questions->at[i]))
			questions->at[kept++] = questions->at[i];
	questions->n = kept;
}

int compile_questions(const struct policy *policy, const struct inputs *inputs, const struct facts *facts, struct arena *arena,
                      struct question_vec *ret_questions, struct err *err)
{
	struct compile c = { .policy = policy, .inputs = inputs, .facts = facts, .arena = arena, .err = err };
	struct asker asker = { .c = &c };
	int r;

	c.rung = facts->user_namespaces ? COMPILE_RUNG_NAMESPACES : COMPILE_RUNG_LANDLOCK;
	asker.lists = c.rung == COMPILE_RUNG_LANDLOCK;
	r = environment_choose(&c);
	if (r == 0)
		r = rules_collect(&c);
	for (size_t i = 0; r == 0 && i < c.claims.n; i++)
		r = ask_claim(&asker, &c.claims.at[i]);
	if (r == 0)
		r = ask_way(&asker, policy->workspace.path, false);
	if (r == 0)
		r = ask_workspace(&asker);
	if (r == 0 && inputs->home)
		r = ask_way(&asker, inputs->home, false);
	if (r == 0)
		r = ask_all(&asker, fresh_question);
	if (r == 0)
		r = ask_all(&asker, covers_question);
	if (r < 0)
		return r;
	thin_out(&asker.questions);
	*ret_questions = asker.questions;
	return 0;
}
