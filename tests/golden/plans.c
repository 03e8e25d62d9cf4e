/*
 * Compiles one case and prints the plan as people see it, or the error. tests/golden/run compares with what is recorded.
 *
 *     golden-plans HOST FACTS SETTINGS DIALECT CWD HOME TERMINAL [WORKSPACE]
 *
 * Besides what `coffer explain` prints: init's regions and patterns. Not printed: the digest and the size of filters, for those
 * change with every line of syscalls.def.
 */
#include "compile/compile.h"

#include "base/own.h"
#include "golden/host.h"
#include "plan/print.h"
#include "policy/read.h"

#include <errno.h>

enum { ARENA_MAX = 64 << 20, FILE_MAX = 1 << 20, TEXT_MAX = 8 << 20 };

static const char *const argv_inside[] = { "make", "-j4", NULL };
static const char *const caller[] = { "PATH=/usr/local/bin:/usr/bin:/bin:/home/u/.local/bin:/opt/tool/bin",
	                              "HOME=/home/u",
	                              "LANG=C.UTF-8",
	                              "EDITOR=vi",
	                              "SSH_AUTH_SOCK=/run/user/1000/agent",
	                              NULL };

struct request {
	const char *host, *facts, *settings, *dialect, *cwd, *home, *terminal, *workspace;
};

#define OWN "/data/coffer/w"

/* "overlay", with two layers; "overlay-empty", of nothing; "stage"; NULL: the host's. */
static struct input_workspace workspace_of(struct arena *arena, const struct request *request)
{
	struct input_workspace w = {
		.path = request->cwd, .base = request->cwd, .upper = OWN "/upper", .work = OWN "/work", .stage = OWN "/stage"
	};
	const char *how = request->workspace ? request->workspace : "";

	if (strncmp(how, "overlay", strlen("overlay")) == 0)
		w.how = INPUT_WORKSPACE_OVERLAY;
	else if (strcmp(how, "stage") == 0)
		w.how = INPUT_WORKSPACE_STAGE;
	if (strcmp(how, "overlay-empty") == 0)
		w.base = NULL;
	for (const char *layer = "1"; strcmp(how, "overlay") == 0 && *layer <= '2'; layer = *layer == '1' ? "2" : "3") {
		const char **slot = text_vec_add(&w.layers, arena);

		if (slot)
			*slot = arena_printf(arena, OWN "/layers/%s", layer);
	}
	return w;
}

static char *read_file(struct arena *arena, const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = arena_alloc(arena, FILE_MAX);

	if (!f || !text) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	text[fread(text, 1, FILE_MAX - 1, f)] = '\0';
	(void)fclose(f);
	return text;
}

static int read_policy(struct policy *policy, struct arena *arena, const struct request *request, struct err *err)
{
	enum policy_dialect dialect = strcmp(request->dialect, "srt") == 0 ? POLICY_SRT : POLICY_COFFER;
	char *text = read_file(arena, request->settings);
	struct policy_document document = { .text = text, .n = strlen(text), .source = "settings.json", .dialect = dialect };
	int r = dialect == POLICY_SRT ? policy_init_srt(policy, arena) : policy_init(policy, arena);

	if (r == 0)
		r = policy_read(policy, arena, &document, NULL, err);
	return r == 0 ? policy_resolve(policy, arena, request->cwd, request->home, err) : r;
}

static int make_plan(struct arena *arena, const struct request *request, struct plan *plan, struct err *err)
{
	struct host_tree host = { .arena = arena };
	struct survey survey = { 0 };
	struct question_vec questions = { 0 };
	struct facts facts;
	struct policy policy;
	struct inputs inputs = {
		.argv = argv_inside,
		.env = caller,
		.cwd = request->cwd,
		.home = request->home,
		.user = "u",
		.run_id = "000000000000",
		.scratch_top = "/var/tmp/coffer-1000",
		.terminal = (unsigned)atoi(request->terminal),
		.survey = &survey,
		.workspace = workspace_of(arena, request),
	};
	char *text = read_file(arena, request->facts);
	int r = facts_read(arena, text, strlen(text), request->facts, &facts, err);

	if (r == 0)
		r = read_policy(&policy, arena, request, err);
	if (r == 0)
		r = compile_questions(&policy, &inputs, &facts, arena, &questions, err);
	if (r < 0)
		return r;
	host.uid = facts.uid;
	host.gid = facts.gid;
	host_read(&host, read_file(arena, request->host));
	host_survey(&host, &questions, &survey);
	return compile(&policy, &inputs, &facts, arena, plan, err);
}

/* Copies a line without the digest and without the number of instructions. */
static void print_line(const char *line, int n)
{
	const char *digest = strstr(line, "  sha256:"), *filter = strstr(line, " instructions");

	if (digest && digest < line + n) {
		const char *rest = digest + 2 + strcspn(digest + 2, " \n");

		printf("%.*s%.*s\n", (int)(digest - line), line, (int)(line + n - rest), rest);
	} else if (filter && filter < line + n) {
		const char *number = filter;

		while (number > line && number[-1] >= '0' && number[-1] <= '9')
			number--;
		printf("%.*sN%.*s\n", (int)(number - line), line, (int)(line + n - filter), filter);
	} else {
		printf("%.*s\n", n, line);
	}
}

static void print_text(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		print_line(text, (int)n);
		text += n + (text[n] == '\n');
	}
}

static void print_init(const struct plan *plan, const struct plan_op *op)
{
	const char *why = plan_list_next(plan, op, 4, NULL);
	struct str line autostr;

	str_init(&line, TEXT_MAX);
	for (unsigned operand = 2; operand <= 3; operand++)
		for (const char *s = NULL; (s = plan_list_next(plan, op, operand, s)); why = plan_list_next(plan, op, 4, why)) {
			str_clear(&line);
			str_add_escaped(&line, s + 1, strlen(s + 1));
			printf("%-8s %c %-50s # %s\n", operand == 2 ? "region" : "pattern", s[0], line.text, why);
		}
}

static void print_plan(const struct plan *plan)
{
	struct str text autostr;

	str_init(&text, TEXT_MAX);
	plan_print(plan, &text);
	print_text(text.text);
	for (uint32_t i = 0; i < plan->head->op_count; i++)
		if (plan->op[i].code == OP_INIT)
			print_init(plan, &plan->op[i]);
}

int main(int argc, char **argv)
{
	struct arena arena;
	struct plan plan;
	struct err err = { 0 };

	if (argc != 8 && argc != 9)
		return 2;
	arena_init(&arena, ARENA_MAX);
	if (make_plan(&arena, &(struct request){ argv[1], argv[2], argv[3], argv[4], argv[5], argv[6], argv[7], argv[8] }, &plan, &err) < 0)
		printf("error: %s%s%s: %s\n", err_code_name(err.code), *err.where ? " at " : "", err.where, err.text);
	else
		print_plan(&plan);
	arena_done(&arena);
	return 0;
}
