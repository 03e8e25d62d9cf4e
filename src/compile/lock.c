/*
 * The last steps, in the one order that is right: no new privileges, Landlock (landlock.c), the fork that leaves init behind,
 * descriptors, the filter. Init is started before the filter is loaded, for the filter is the command's; init has one of its own.
 */
#include "base/vec.h"
#include "compile/bpf.h"
#include "compile/landlock.h"
#include "compile/stage.h"

#include <errno.h>
#include <stdlib.h>

static bool listens(const struct compile *c)
{
	return c->tells || c->acts || c->acts_on_opens || c->hands_out_sockets;
}

static struct bpf_request filter_request(const struct compile *c)
{
	const struct policy *policy = c->policy;
	bool net = c->rung == COMPILE_RUNG_NAMESPACES || !network_is_own(c);

	return (struct bpf_request){
		.notify = listens(c),
		.tell_writes = c->tells && !c->facts->tracing_why,
		.tell_reads = c->tells && !c->facts->tracing_why && policy->denials == POLICY_DENIALS_ALL,
		.act_names = c->acts,
		.act_opens = c->acts_on_opens,
		.act_sockets = c->hands_out_sockets,
		.inet = net, /* in a network namespace of its own these reach nothing but the sandbox itself */
		.unix_sockets = policy->network.allow_all_unix_sockets,
		.ptrace = policy->process.allow_ptrace,
		.nested_userns = policy->process.allow_nested_user_namespaces && c->rung == COMPILE_RUNG_NAMESPACES,
		.host_ipc = c->rung == COMPILE_RUNG_LANDLOCK,
		.tagged = c->inputs->kind == COMPILE_EXEC,
	};
}

static uint64_t init_flags(const struct compile *c)
{
	uint64_t flags = 0;

	if (c->tells)
		flags |= PLAN_INIT_TELL;
	if (c->acts)
		flags |= PLAN_INIT_ACT;
	if (c->acts_on_opens)
		flags |= PLAN_INIT_ACT_OPENS;
	if (c->rung == COMPILE_RUNG_LANDLOCK)
		flags |= PLAN_INIT_RUNG2;
	if (c->hands_out_sockets)
		flags |= PLAN_INIT_SOCKETS;
	if (c->hands_out_sockets && sockets_keeps_abstract(c))
		flags |= PLAN_INIT_ABSTRACT;
	return flags;
}

/* A place and what init takes it for. */
struct line {
	const char *path, *why;
	char letter;
};
VEC(struct line, line_vec)

static int compare_lines(const void *a, const void *b)
{
	const struct line *left = a, *right = b;

	int order = strcmp(left->path, right->path);

	return order ? order : (unsigned char)left->letter - (unsigned char)right->letter; /* h, r, w: what is granted comes last */
}

static int add_text_line(struct compile *c, struct text_vec *list, char letter, const char *text)
{
	return compile_add_text(c, list, arena_printf(c->arena, "%c%s", letter, text));
}

static int add_line(struct compile *c, struct line_vec *lines, struct line line)
{
	struct line *slot = line.path ? line_vec_add(lines, c->arena) : NULL;

	if (!slot)
		return compile_no_memory(c);
	*slot = line;
	return 0;
}

static int add_place(struct compile *c, struct line_vec *lines, char letter, const char *path)
{
	return add_line(c, lines, (struct line){ .path = path, .letter = letter, .why = WHY_DEFAULT });
}

/* What Landlock lets pass on rung two (carve.c) besides the regions: no denial is told of it. */
static int add_granted(struct compile *c, struct line_vec *lines)
{
	int r = add_place(c, lines, 'w', identity_scratch(c));
	const char *path;

	for (size_t i = 0; r == 0 && (path = fresh_device(i)); i++)
		r = add_place(c, lines, 'w', path);
	for (size_t i = 0; r == 0 && (path = carve_machine_file(i)); i++)
		r = add_place(c, lines, 'r', path);
	return r == 0 && (c->acts || c->acts_on_opens || c->hands_out_sockets) ? add_place(c, lines, 'r', "/proc") : r;
}

/* A place that is both a region and granted is listed once, as what it is granted as. */
static bool is_same_place(const struct line_vec *lines, size_t i)
{
	return i + 1 < lines->n && strcmp(lines->at[i].path, lines->at[i + 1].path) == 0;
}

static char letter_of(const struct compile *c, const struct region *region)
{
	static const char letters[] = { [ACCESS_HIDDEN] = 'h', [ACCESS_READ] = 'r', [ACCESS_WRITE] = 'w' };

	if ((region->fresh || region->own) && region->access == ACCESS_WRITE && c->rung == COMPILE_RUNG_NAMESPACES)
		return 'p';
	return letters[region->access];
}

/* Init and the people who read denials go by bytes, so these are sorted as strcmp does. */
static int list_regions(struct compile *c, struct text_vec *regions, struct text_vec *whys)
{
	struct line_vec lines = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->regions.n; i++) {
		const struct region *region = &c->regions.at[i];

		r = add_line(c, &lines, (struct line){ .path = region->path, .why = region->why, .letter = letter_of(c, region) });
	}
	if (r == 0 && c->rung == COMPILE_RUNG_LANDLOCK)
		r = add_granted(c, &lines);
	if (r == 0 && lines.n)
		qsort(lines.at, lines.n, sizeof(*lines.at), compare_lines);
	for (size_t i = 0; r == 0 && i < lines.n; i++) {
		if (is_same_place(&lines, i))
			continue;
		r = add_text_line(c, regions, lines.at[i].letter, lines.at[i].path);
		if (r == 0)
			r = compile_add_text(c, whys, lines.at[i].why);
	}
	return r;
}

static int list_patterns(struct compile *c, struct text_vec *patterns, struct text_vec *whys)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->patterns.n; i++) {
		r = add_text_line(c, patterns, c->patterns.at[i].letter, c->patterns.at[i].glob);
		if (r == 0)
			r = compile_add_text(c, whys, c->patterns.at[i].why);
	}
	return r;
}

static int put_init(struct compile *c)
{
	struct text_vec regions = { 0 }, patterns = { 0 }, whys = { 0 };
	const void *filter;
	size_t bytes;
	int r = bpf_build_init(c->arena, &filter, &bytes, c->err);

	if (r == 0 && listens(c))
		r = list_regions(c, &regions, &whys);
	if (r == 0)
		r = list_patterns(c, &patterns, &whys);
	if (r == 0)
		plan_add(&c->plan, OP_INIT, WHY_DEFAULT, filter, bytes, init_flags(c), &regions, &patterns, &whys);
	return r;
}

static int put_filter(struct compile *c)
{
	const struct bpf_request request = filter_request(c);
	const void *filter;
	size_t bytes;
	int r = bpf_build(c->arena, &request, &filter, &bytes, c->err);

	if (r == 0)
		plan_add(&c->plan, OP_SECCOMP, WHY_DEFAULT, filter, bytes, (uint64_t)request.notify);
	return r;
}

int lock_put(struct compile *c)
{
	int r = 0;

	if (c->inputs->kind == COMPILE_SESSION)
		plan_add(&c->plan, OP_SERVE, WHY_DEFAULT);
	else
		r = put_init(c);
	if (r < 0 || c->inputs->kind == COMPILE_SESSION)
		return r;
	plan_add(&c->plan, OP_CLOSE_FDS, WHY_DEFAULT);
	if (c->inputs->results && c->inputs->kind == COMPILE_RUN)
		plan_add(&c->plan, OP_RESULTS, WHY_DEFAULT);
	return put_filter(c);
}
