/* Opening a plan and reading its operands. The launcher links this: no allocation, no stdio. */
#include "plan/plan.h"

#include <errno.h>
#include <string.h>

static const struct plan_op_info infos[OP_CODES_END] = {
#define OP(name, actor, stage, inverse, operands, sentence) \
	[OP_##name] = { #name, operands, sentence, PLAN_##actor, PLAN_##stage, PLAN_INVERSE_##inverse },
#include "plan/ops.def"
#undef OP
};

const struct plan_op_info *plan_op_info(unsigned code)
{
	return code < OP_CODES_END ? &infos[code] : NULL;
}

static uint32_t operand_offset(uint64_t arg)
{
	return (uint32_t)(arg >> 32);
}

static uint32_t operand_length(uint64_t arg)
{
	return (uint32_t)arg;
}

static bool is_inside(const struct plan_head *head, uint64_t arg)
{
	return (uint64_t)operand_offset(arg) + operand_length(arg) <= head->bytes_len;
}

static bool is_string(const struct plan *plan, uint64_t arg)
{
	const char *text = plan->bytes + operand_offset(arg);
	uint32_t length = operand_length(arg);

	return (uint64_t)operand_offset(arg) + length < plan->head->bytes_len && text[length] == '\0' && !memchr(text, '\0', length);
}

static bool is_list(const struct plan *plan, uint64_t arg)
{
	uint32_t length = operand_length(arg);

	return is_inside(plan->head, arg) && (length == 0 || plan->bytes[operand_offset(arg) + length - 1] == '\0');
}

static bool is_operand(const struct plan *plan, char kind, uint64_t arg)
{
	switch (kind) {
	case 'n':
		return true;
	case 't':
		return arg < plan->head->slots;
	case 'h':
	case 'p':
	case 's':
		return is_string(plan, arg);
	case 'l':
		return is_list(plan, arg);
	case 'b':
		return is_inside(plan->head, arg) && operand_offset(arg) % PLAN_BLOB_ALIGN == 0;
	default: /* behind the last operand */
		return arg == 0;
	}
}

static bool is_op(const struct plan *plan, const struct plan_op *op)
{
	const struct plan_op_info *info = plan_op_info(op->code);

	if (!info || op->reserved != 0 || op->why >= plan->head->bytes_len)
		return false;

	const char *kind = info->operands;

	for (size_t i = 0; i < PLAN_OPERANDS_MAX; i++) {
		if (!is_operand(plan, *kind, op->arg[i]))
			return false;
		kind += *kind != '\0';
	}
	return true;
}

/* Each note starts behind the NUL of the one before: as many NULs as notes is all that it takes. */
static bool has_notes(const struct plan *plan)
{
	size_t at = 0;

	for (uint32_t i = 0; i < plan->head->note_count; i++) {
		if (at >= plan->head->bytes_len)
			return false;
		at += strlen(plan->bytes + at) + 1; /* ends: the last byte is a NUL */
	}
	return true;
}

static bool is_head(const struct plan_head *head, size_t size)
{
	if (head->magic != PLAN_MAGIC || head->version != PLAN_VERSION)
		return false;
	if (head->op_count > PLAN_OPS_MAX || head->slots > PLAN_SLOTS_MAX)
		return false;
	if (head->bytes_len == 0 || head->bytes_len > PLAN_BYTES_MAX)
		return false;
	return size == sizeof(*head) + head->op_count * sizeof(struct plan_op) + head->bytes_len;
}

int plan_open(const void *block, size_t size, struct plan *ret_plan)
{
	const struct plan_head *head = block;

	if (!block || (uintptr_t)block % _Alignof(struct plan_op) != 0 || size < sizeof(*head) || !is_head(head, size))
		return -EINVAL;

	const struct plan_op *op = (const struct plan_op *)(head + 1);
	const struct plan plan = { .head = head, .op = op, .bytes = (const char *)(op + head->op_count), .size = size };

	if (plan.bytes[head->bytes_len - 1] != '\0' || !has_notes(&plan))
		return -EINVAL;
	for (uint32_t i = 0; i < head->op_count; i++)
		if (!is_op(&plan, &op[i]))
			return -EINVAL;
	*ret_plan = plan;
	return 0;
}

uint64_t plan_number(const struct plan_op *op, unsigned operand)
{
	return op->arg[operand];
}

const char *plan_text(const struct plan *plan, const struct plan_op *op, unsigned operand)
{
	return plan->bytes + operand_offset(op->arg[operand]);
}

const void *plan_blob(const struct plan *plan, const struct plan_op *op, unsigned operand, size_t *ret_len)
{
	*ret_len = operand_length(op->arg[operand]);
	return plan->bytes + operand_offset(op->arg[operand]);
}

const char *plan_list_next(const struct plan *plan, const struct plan_op *op, unsigned operand, const char *previous)
{
	const char *start = plan->bytes + operand_offset(op->arg[operand]);
	const char *end = start + operand_length(op->arg[operand]);
	const char *next = previous ? previous + strlen(previous) + 1 : start;

	return next < end ? next : NULL;
}

size_t plan_list_count(const struct plan *plan, const struct plan_op *op, unsigned operand)
{
	size_t count = 0;

	for (const char *s = NULL; (s = plan_list_next(plan, op, operand, s));)
		count++;
	return count;
}

const char *plan_why(const struct plan *plan, const struct plan_op *op)
{
	return plan->bytes + op->why;
}

const char *plan_note(const struct plan *plan, unsigned index)
{
	const char *note = plan->bytes;

	while (index-- > 0)
		note += strlen(note) + 1;
	return note;
}
