/*
 * Anvil's analyser, as its users know it: four rules about names as they are written, in the order of ast.walk. Where its documentation promises more than
 * it does (os.exec*, os.spawn*), the documentation holds. Everything it does not see is the strict mode's business.
 */
#include "verify/judge.h"

#include "base/own.h"

#define DEFAULT_IMPORTS "subprocess,multiprocessing,ctypes,socket,paramiko,fabric,shutil"
#define DEFAULT_FUNCTIONS "eval,exec,compile,open,__import__,getattr,setattr,delattr,globals,locals"
#define DANGEROUS "os.system,os.popen,os.spawn*,os.exec*,os.remove,os.rmdir,os.unlink,shutil.rmtree,shutil.move"
#define DANGEROUS_PROCESS "subprocess.run,subprocess.call,subprocess.Popen,subprocess.check_output"

struct word {
	const char *text;
	size_t n;
};

static bool matches(struct word word, const char *entry, size_t n)
{
	if (n > 0 && entry[n - 1] == '*')
		return word.n >= n - 1 && memcmp(word.text, entry, n - 1) == 0;
	return word.n == n && memcmp(word.text, entry, n) == 0;
}

static bool is_listed(struct word word, const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");
		if (matches(word, list, n))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

static struct word word_of(const struct judge *judge, uint32_t i)
{
	const struct tree_node *node = tree_at(&judge->tree, i);
	return (struct word){ node->name, node->name_n };
}

static bool is_word(struct word word, const char *text)
{
	return matches(word, text, strlen(text));
}

/* A dotted name as ast has it: without the spaces and lines that may stand between. */
static struct word dotted(struct judge *judge, uint32_t i)
{
	struct word word = word_of(judge, i);
	char *text = arena_dup_n(judge->arena, word.text, word.n);
	size_t n = 0;

	for (size_t k = 0; text && k < word.n; k++)
		if (!memchr(" \t\f\\\r\n", text[k], 6))
			text[n++] = text[k];
	judge->failed = judge->failed || !text;
	return (struct word){ text ? text : "", n };
}

static bool is_blocked(const struct judge *judge, struct word module, struct word top)
{
	const char *imports = judge->request->imports ? judge->request->imports : DEFAULT_IMPORTS;

	if (is_word(module, "socket") && judge->request->allowed[RULE_NETWORK])
		return false;
	return is_listed(top, imports);
}

static void judge_module(struct judge *judge, uint32_t i, bool from)
{
	struct word module = dotted(judge, i), top = module;

	if (from) {
		const char *dot = memchr(module.text, '.', module.n);
		top.n = dot ? (size_t)(dot - module.text) : module.n;
	}
	if (module.n > 0 && is_blocked(judge, module, top))
		judge_find(judge, RULE_IMPORT, judge_place(judge, i), "Blocked import: %.*s", (int)module.n, module.text);
}

static void judge_bare(struct judge *judge, uint32_t call, struct word name)
{
	const char *functions = judge->request->functions ? judge->request->functions : DEFAULT_FUNCTIONS;

	if (is_word(name, "open") && judge->request->allowed[RULE_WRITE])
		return;
	if (is_listed(name, functions))
		judge_find(judge, RULE_FUNCTION, judge_place(judge, call), "Blocked function call: %.*s()", (int)name.n, name.text);
}

static void judge_dotted(struct judge *judge, uint32_t call, uint32_t attribute)
{
	uint32_t object = tree_child(&judge->tree, attribute, 0);
	struct word left, right = word_of(judge, attribute), name;
	char *text;

	if (!object || tree_at(&judge->tree, object)->kind != TREE_NAME)
		return;
	left = word_of(judge, object);
	text = arena_printf(judge->arena, "%.*s.%.*s", (int)left.n, left.text, (int)right.n, right.text);
	judge->failed = judge->failed || !text;
	name = (struct word){ text ? text : "", text ? strlen(text) : 0 };
	if (is_listed(name, DANGEROUS) || (!judge->request->allowed[RULE_PROCESS] && is_listed(name, DANGEROUS_PROCESS)))
		judge_find(judge, RULE_CALL, judge_place(judge, call), "Dangerous call: %s()", name.text);
}

static void judge_node(struct judge *judge, uint32_t i)
{
	const struct tree_node *node = tree_at(&judge->tree, i);
	uint32_t first = node->first;

	if (node->kind == TREE_IMPORT_FROM)
		judge_module(judge, i, true);
	for (uint32_t alias = first; node->kind == TREE_IMPORT && alias; alias = tree_at(&judge->tree, alias)->next)
		judge_module(judge, alias, false);
	if (node->kind != TREE_CALL || !first)
		return;
	if (tree_at(&judge->tree, first)->kind == TREE_NAME)
		judge_bare(judge, i, word_of(judge, first));
	else if (tree_at(&judge->tree, first)->kind == TREE_ATTRIBUTE)
		judge_dotted(judge, i, first);
}

void python_anvil(struct judge *judge)
{
	size_t n = judge->tree.nodes.n, last = 1;
	uint32_t *queue = arena_array(judge->arena, n, sizeof(*queue));

	judge->failed = judge->failed || !queue;
	for (size_t next = 0; queue && next < last; next++) {
		judge_node(judge, queue[next]);
		for (uint32_t i = tree_at(&judge->tree, queue[next])->first; i; i = tree_at(&judge->tree, i)->next)
			queue[last++] = i;
	}
}
