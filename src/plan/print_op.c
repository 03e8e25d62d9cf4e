/*
 * Theory of operation. Each operation has a form: text in which a % and a letter stands for the next operand. A letter is a
 * function below that knows how people write such a number, path or list; %- leaves the operand out. JSON (print.c) has all of them.
 */
#include "plan/print.h"

#include "base/num.h"
#include "base/path.h"
#include "base/utf8.h"
#include "plan/secret.h"
#include "plan/words.h"

#include <linux/filter.h>
#include <string.h>

static const char *const forms[OP_CODES_END] = {
	[OP_WATCH] = "wall %D, output %z, cpu %D%-",
	[OP_QUOTA] = "workspace %-%z, %C files",
	[OP_CGROUP_MAKE] = "%c %h",
	[OP_CGROUP_SET] = "%m %h",
	[OP_SCRATCH_MAKE] = "%h %o, uid %d gid %d",
	[OP_CGROUP_JOIN] = "%h",
	[OP_HOST_TREE] = "%t %h %f%-%-",
	[OP_TREE_IDMAP] = "%t uid %d as %d, gid %d as %d",
	[OP_WARDEN_USER] = "uid %d gid %d",
	[OP_SPAWN] = "%N",
	[OP_IDMAP] = "uid %d as %d, gid %d as %d",
	[OP_BECOME] = "uid %d gid %d",
	[OP_PRIVATE] = "",
	[OP_TREE] = "%t %h %f%-%-",
	[OP_ROOT_NEW] = "%z, %d inodes",
	[OP_ROOT_TREE] = "%t",
	[OP_DIR] = "%h %o",
	[OP_FILE] = "%h %o, %b bytes",
	[OP_LINK] = "%h -> %h",
	[OP_TMPFS] = "%h %f %z, %d inodes, mode %o",
	[OP_PROC] = "%h %P",
	[OP_DEVPTS] = "%h",
	[OP_MQUEUE] = "%h",
	[OP_EMPTY] = "%t",
	[OP_OVERLAY] = "%t of %t%l, upper %h, work %h",
	[OP_PLACE] = "%t %h",
	[OP_REBIND] = "%h %f%-%-",
	[OP_MASK] = "%h%M%-%-",
	[OP_COVER] = "%h %o, %b bytes",
	[OP_REMOUNT] = "%h %f",
	[OP_SYSCTL] = "%h %h",
	[OP_EGRESS] = "%b bytes of rules%K%O",
	[OP_LOOPBACK] = "",
	[OP_PUBLISH] = "%h port %d, to port %d inside",
	[OP_LISTEN] = "port %d",
	[OP_REDIRECT] = "",
	[OP_PIVOT] = "",
	[OP_AWAIT] = "",
	[OP_HOSTNAME] = "%h",
	[OP_SESSION] = "",
	[OP_TERMINAL] = "%T",
	[OP_RLIMIT] = "%r %R %R",
	[OP_CHDIR] = "%h",
	[OP_UMASK] = "%o",
	[OP_IDS] = "uid %d gid %d",
	[OP_CAPS_DROP] = "",
	[OP_NO_NEW_PRIVS] = "",
	[OP_LANDLOCK_OPEN] = "abi %d, files %F, network %W, scopes %S",
	[OP_LANDLOCK_PATH] = "%h %F",
	[OP_LANDLOCK_ENTER] = "",
	[OP_INIT] = "%i instructions, %I, regions %n, patterns %n%-",
	[OP_CLOSE_FDS] = "",
	[OP_SECCOMP] = "%i instructions%L",
	[OP_EXEC] = "%x%a%e",
	[OP_SERVE] = "",
};

struct print {
	const struct plan *plan;
	const struct plan_op *op;
	struct str *out;
};

/* A word as a shell would need it: bare when it is plain, else quoted as in JSON. */
static bool is_plain(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || strpbrk(text, " \"'\\#$&*;<>?`|(){}[]!"))
		return false;
	for (size_t at = 0; at < n;) {
		uint32_t code;
		size_t length = utf8_take(text + at, n - at, &code);

		if (!length || !utf8_is_shown(code))
			return false;
		at += length;
	}
	return true;
}

static void put_word(struct str *out, const char *text)
{
	if (is_plain(text))
		str_add(out, text);
	else
		str_add_json(out, text, strlen(text));
}

static void put_decimal(struct print *p, unsigned i)
{
	str_printf(p->out, "%llu", (unsigned long long)plan_number(p->op, i));
}

static void put_octal(struct print *p, unsigned i)
{
	str_printf(p->out, "%04llo", (unsigned long long)plan_number(p->op, i));
}

static void put_size(struct print *p, unsigned i)
{
	num_put_size(p->out, plan_number(p->op, i));
}

static void put_duration(struct print *p, unsigned i)
{
	num_put_duration(p->out, plan_number(p->op, i));
}

static void put_slot(struct print *p, unsigned i)
{
	str_printf(p->out, "t%llu", (unsigned long long)plan_number(p->op, i));
}

static void put_cgroup(struct print *p, unsigned i)
{
	str_add(p->out, words_cgroup(plan_number(p->op, i)));
}

static void put_tree_flags(struct print *p, unsigned i)
{
	words_put(p->out, WORDS_TREE, plan_number(p->op, i));
}

static void put_namespaces(struct print *p, unsigned i)
{
	words_put(p->out, WORDS_NAMESPACES, plan_number(p->op, i));
}

static void put_proc_flags(struct print *p, unsigned i)
{
	words_put(p->out, WORDS_PROC, plan_number(p->op, i));
}

static void put_init_flags(struct print *p, unsigned i)
{
	words_put(p->out, WORDS_INIT, plan_number(p->op, i));
}

static void put_streams(struct print *p, unsigned i)
{
	words_put(p->out, WORDS_STREAMS, plan_number(p->op, i));
}

static void put_file_rights(struct print *p, unsigned i)
{
	words_put(p->out, WORDS_FILES, plan_number(p->op, i));
}

static void put_network_rights(struct print *p, unsigned i)
{
	words_put(p->out, WORDS_NETWORK, plan_number(p->op, i));
}

static void put_scopes(struct print *p, unsigned i)
{
	words_put(p->out, WORDS_SCOPES, plan_number(p->op, i));
}

static void put_rlimit(struct print *p, unsigned i)
{
	str_add(p->out, words_rlimit(plan_number(p->op, i)));
}

static void put_rlimit_value(struct print *p, unsigned i)
{
	enum words_unit unit = words_rlimit_unit(plan_number(p->op, 0));
	uint64_t value = plan_number(p->op, i);

	if (value == UINT64_MAX || unit == WORDS_BYTES)
		num_put_size(p->out, value);
	else
		str_printf(p->out, "%llu%s", (unsigned long long)value, unit == WORDS_SECONDS ? "s" : "");
}

static void put_ceiling(struct print *p, unsigned i)
{
	uint64_t value = plan_number(p->op, i);

	if (value == UINT64_MAX)
		str_add(p->out, "unlimited");
	else
		str_printf(p->out, "%llu", (unsigned long long)value);
}

static void put_text(struct print *p, unsigned i)
{
	put_word(p->out, plan_text(p->plan, p->op, i));
}

/* A cgroup's file goes by its name alone: its directory stands a few lines above. */
static void put_file_name(struct print *p, unsigned i)
{
	put_word(p->out, path_name(plan_text(p->plan, p->op, i)));
}

static void put_length(struct print *p, unsigned i)
{
	size_t len;

	plan_blob(p->plan, p->op, i, &len);
	str_printf(p->out, "%zu", len);
}

/* Bytes that nobody is shown. */
static void put_hidden(struct print *p, unsigned i)
{
	size_t len;

	plan_blob(p->plan, p->op, i, &len);
	if (len > 0)
		str_add(p->out, ", " SECRET_SHOWN);
}

static void put_opens(struct print *p, unsigned i)
{
	if (plan_number(p->op, i))
		str_add(p->out, ", opens TLS");
}

static void put_instructions(struct print *p, unsigned i)
{
	size_t len;

	plan_blob(p->plan, p->op, i, &len);
	str_printf(p->out, "%zu", len / sizeof(struct sock_filter));
}

static void put_listener(struct print *p, unsigned i)
{
	if (plan_number(p->op, i))
		str_add(p->out, ", init listens");
}

static void put_count(struct print *p, unsigned i)
{
	str_printf(p->out, "%zu", plan_list_count(p->plan, p->op, i));
}

static void put_candidates(struct print *p, unsigned i)
{
	const char *bar = "";

	for (const char *s = NULL; (s = plan_list_next(p->plan, p->op, i, s));) {
		str_add(p->out, bar);
		put_word(p->out, s);
		bar = "|";
	}
}

/* Without argv[0]: what is executed was just named. */
static void put_arguments(struct print *p, unsigned i)
{
	const char *s = plan_list_next(p->plan, p->op, i, NULL);

	while (s && (s = plan_list_next(p->plan, p->op, i, s))) {
		str_add_char(p->out, ' ');
		put_word(p->out, s);
	}
}

static void put_environment(struct print *p, unsigned i)
{
	const char *lead = " with ";

	for (const char *s = NULL; (s = plan_list_next(p->plan, p->op, i, s));) {
		size_t name = strcspn(s, "=");

		str_add(p->out, lead);
		str_add_escaped(p->out, s, name + (s[name] == '='));
		if (secret_is_name(s, name))
			str_add(p->out, SECRET_SHOWN);
		else if (s[name] && s[name + 1])
			put_word(p->out, s + name + 1);
		lead = " ";
	}
}

static void put_layers(struct print *p, unsigned i)
{
	for (const char *s = NULL; (s = plan_list_next(p->plan, p->op, i, s));) {
		str_add(p->out, ", layer ");
		put_word(p->out, s);
	}
}

static void put_mask_flags(struct print *p, unsigned i)
{
	if (plan_number(p->op, i) & PLAN_MASK_OPTIONAL)
		str_add(p->out, " optional");
}

static void put_nothing(struct print *p, unsigned i)
{
	(void)p;
	(void)i;
}

static void (*const letters[128])(struct print *p, unsigned operand) = {
	['-'] = put_nothing,      ['d'] = put_decimal,      ['o'] = put_octal,       ['z'] = put_size,           ['D'] = put_duration,
	['t'] = put_slot,         ['c'] = put_cgroup,       ['f'] = put_tree_flags,  ['N'] = put_namespaces,     ['P'] = put_proc_flags,
	['I'] = put_init_flags,   ['T'] = put_streams,      ['F'] = put_file_rights, ['W'] = put_network_rights, ['S'] = put_scopes,
	['r'] = put_rlimit,       ['R'] = put_rlimit_value, ['h'] = put_text,        ['m'] = put_file_name,      ['b'] = put_length,
	['i'] = put_instructions, ['L'] = put_listener,     ['n'] = put_count,       ['x'] = put_candidates,     ['a'] = put_arguments,
	['C'] = put_ceiling,      ['e'] = put_environment,  ['K'] = put_hidden,      ['O'] = put_opens,          ['l'] = put_layers,
	['M'] = put_mask_flags,
};

void plan_print_operands(const struct plan *plan, const struct plan_op *op, struct str *out)
{
	struct print p = { plan, op, out };
	unsigned operand = 0;

	for (const char *form = forms[op->code]; *form; form++) {
		if (*form == '%')
			letters[(unsigned char)*++form](&p, operand++);
		else
			str_add_char(out, *form);
	}
}

void plan_print_op(const struct plan *plan, const struct plan_op *op, struct str *out)
{
	str_add(out, plan_op_info(op->code)->name);
	if (*forms[op->code])
		str_add_char(out, ' ');
	plan_print_operands(plan, op, out);
}
