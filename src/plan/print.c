#include "plan/print.h"

#include "plan/secret.h"

#include <string.h>

/* Columns of the text form: where the operands start, and where the provenance does unless they reach beyond. */
enum { NAME_WIDTH = 15, WHY_COLUMN = 64 };

static const char *const actors[] = { [PLAN_HOST] = "host", [PLAN_WARDEN] = "warden", [PLAN_JAIL] = "jail" };
static const char *const stages[] = {
	[PLAN_PREPARE] = "prepare", [PLAN_BIRTH] = "birth", [PLAN_ROOT] = "root", [PLAN_PIVOT] = "pivot",
	[PLAN_SHED] = "shed",       [PLAN_LOCK] = "lock",   [PLAN_EXEC] = "exec",
};

static int digits(uint32_t number)
{
	int n = 1;

	for (; number >= 10; number /= 10)
		n++;
	return n;
}

/* Characters rather than bytes; good enough for the few that are not ASCII. */
static int width(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void put_line(const struct plan *plan, uint32_t index, struct str *out)
{
	const struct plan_op *op = &plan->op[index];
	const struct plan_op_info *info = plan_op_info(op->code);
	const char *why = plan_why(plan, op);
	struct str line autostr;

	str_init(&line, out->ceiling);
	str_printf(&line, "%-6s %*u  ", actors[info->actor], digits(plan->head->op_count - 1), index);
	str_printf(&line, info->operands[0] ? "%-*s" : "%.*s", NAME_WIDTH, info->name);
	plan_print_operands(plan, op, &line);
	if (*why) {
		int used = width(line.text);

		str_printf(&line, "%*s# ", used < WHY_COLUMN - 2 ? WHY_COLUMN - used : 2, "");
		str_add_escaped(&line, why, strlen(why));
	}
	str_add_char(&line, '\n');
	str_add_n(out, line.text, line.len);
	out->failed = out->failed || line.failed;
}

void plan_print(const struct plan *plan, struct str *out)
{
	char digest[SHA256_BYTES * 2 + 1];

	plan_digest(plan, digest);
	str_printf(out, "plan %u  sha256:%s  notes %u\n", plan->head->version, digest, plan->head->note_count);
	for (uint32_t i = 0; i < plan->head->note_count; i++) {
		const char *note = plan_note(plan, i);

		str_add(out, "note   ");
		str_add_escaped(out, note, strlen(note));
		str_add_char(out, '\n');
	}
	for (uint32_t i = 0; i < plan->head->op_count && !out->failed; i++)
		put_line(plan, i, out);
}

static void put_json_text(struct str *out, const char *text)
{
	str_add_json(out, text, strlen(text));
}

static void put_json_blob(struct str *out, const unsigned char *bytes, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	str_add(out, "{\"hex\": \"");
	for (size_t i = 0; i < n; i++) {
		str_add_char(out, hex[bytes[i] >> 4]);
		str_add_char(out, hex[bytes[i] & 15]);
	}
	str_add(out, "\"}");
}

/* "NAME=value" of an environment, without the value where the name says that it is a secret. */
static void put_json_variable(struct str *out, const char *text)
{
	size_t name = strcspn(text, "=");

	if (text[name] == '\0' || !secret_is_name(text, name)) {
		put_json_text(out, text);
		return;
	}

	struct str shown autostr;

	str_init(&shown, out->ceiling);
	str_add_n(&shown, text, name + 1);
	str_add(&shown, SECRET_SHOWN);
	str_add_json(out, shown.text, shown.len);
	out->failed = out->failed || shown.failed;
}

static void put_json_list(const struct plan *plan, const struct plan_op *op, unsigned operand, struct str *out)
{
	bool environment = op->code == OP_EXEC && operand == 2;
	const char *comma = "";

	str_add_char(out, '[');
	for (const char *s = NULL; (s = plan_list_next(plan, op, operand, s));) {
		str_add(out, comma);
		if (environment)
			put_json_variable(out, s);
		else
			put_json_text(out, s);
		comma = ", ";
	}
	str_add_char(out, ']');
}

static void put_json_operand(const struct plan *plan, const struct plan_op *op, unsigned operand, struct str *out)
{
	size_t len;
	const void *bytes;

	switch (plan_op_info(op->code)->operands[operand]) {
	case 'h':
	case 'p':
	case 's':
		put_json_text(out, plan_text(plan, op, operand));
		break;
	case 'l':
		put_json_list(plan, op, operand, out);
		break;
	case 'b':
		if (op->code == OP_EGRESS && operand == PLAN_EGRESS_SECRETS) {
			put_json_text(out, SECRET_SHOWN);
			break;
		}
		bytes = plan_blob(plan, op, operand, &len);
		put_json_blob(out, bytes, len);
		break;
	default: /* n, t */
		str_printf(out, "%llu", (unsigned long long)plan_number(op, operand));
	}
}

static void put_json_op(const struct plan *plan, uint32_t index, struct str *out)
{
	const struct plan_op *op = &plan->op[index];
	const struct plan_op_info *info = plan_op_info(op->code);
	struct str text autostr;

	str_init(&text, out->ceiling);
	str_printf(out, "    {\"index\": %u, \"actor\": \"%s\", \"stage\": \"%s\", \"name\": \"%s\", \"operands\": [", index,
	           actors[info->actor], stages[info->stage], info->name);
	for (unsigned i = 0; info->operands[i]; i++) {
		str_add(out, i ? ", " : "");
		put_json_operand(plan, op, i, out);
	}
	plan_print_op(plan, op, &text);
	str_add(out, "], \"text\": ");
	str_add_json(out, text.text, text.len);
	str_add(out, ", \"why\": ");
	put_json_text(out, plan_why(plan, op));
	str_add_char(out, '}');
	out->failed = out->failed || text.failed;
}

void plan_print_json(const struct plan *plan, struct str *out)
{
	char digest[SHA256_BYTES * 2 + 1];

	plan_digest(plan, digest);
	str_printf(out, "{\n  \"version\": %u,\n  \"sha256\": \"%s\",\n  \"notes\": [", plan->head->version, digest);
	for (uint32_t i = 0; i < plan->head->note_count; i++) {
		str_add(out, i ? ", " : "");
		put_json_text(out, plan_note(plan, i));
	}
	str_add(out, "],\n  \"operations\": [");
	for (uint32_t i = 0; i < plan->head->op_count && !out->failed; i++) {
		str_add(out, i ? ",\n" : "\n");
		put_json_op(plan, i, out);
	}
	str_add(out, "\n  ]\n}\n");
}
