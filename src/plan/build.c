#include "plan/build.h"

#include "plan/print.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void plan_build_init(struct plan_build *b, struct arena *arena)
{
	*b = (struct plan_build){ .arena = arena };
}

static void fail(struct plan_build *b, int r)
{
	if (b->failed == 0)
		b->failed = r;
}

/* Makes room for n bytes at the end. False once the build has failed. */
static bool reserve(struct plan_build *b, size_t n)
{
	if (b->failed)
		return false;
	if (n > PLAN_BYTES_MAX - b->bytes_len) {
		fail(b, -E2BIG);
		return false;
	}
	if (b->bytes_len + n <= b->bytes_room)
		return true;

	size_t room = b->bytes_room ? b->bytes_room : 1024;

	while (room < b->bytes_len + n)
		room *= 2;

	char *bytes = arena_alloc(b->arena, room);

	if (!bytes) {
		fail(b, -ENOMEM);
		return false;
	}
	if (b->bytes_len)
		memcpy(bytes, b->bytes, b->bytes_len);
	b->bytes = bytes;
	b->bytes_room = room;
	return true;
}

static void put(struct plan_build *b, const void *bytes, size_t n)
{
	if (n == 0 || !reserve(b, n))
		return;
	memcpy(b->bytes + b->bytes_len, bytes, n);
	b->bytes_len += n;
}

static uint64_t pack(size_t offset, size_t length)
{
	return (uint64_t)offset << 32 | (uint32_t)length;
}

static uint64_t put_text(struct plan_build *b, const char *text)
{
	size_t at = b->bytes_len;

	if (!text) {
		fail(b, -EINVAL);
		return 0;
	}
	put(b, text, strlen(text) + 1);
	return pack(at, strlen(text));
}

static uint64_t put_list(struct plan_build *b, const struct text_vec *list)
{
	size_t at = b->bytes_len;

	if (!list) {
		fail(b, -EINVAL);
		return 0;
	}
	for (size_t i = 0; i < list->n; i++)
		put_text(b, list->at[i]);
	return pack(at, b->bytes_len - at);
}

static uint64_t put_blob(struct plan_build *b, const void *bytes, size_t n)
{
	static const char zeros[PLAN_BLOB_ALIGN];

	put(b, zeros, -b->bytes_len % PLAN_BLOB_ALIGN);

	size_t at = b->bytes_len;

	put(b, bytes, n);
	return pack(at, n);
}

static uint32_t put_why(struct plan_build *b, const char *why)
{
	const struct plan_op *before = b->ops.n ? &b->ops.at[b->ops.n - 1] : NULL;

	/* Neighbours mostly have the same reason. */
	if (before && strcmp(b->bytes + before->why, why) == 0)
		return before->why;
	return (uint32_t)(put_text(b, why) >> 32);
}

static uint64_t put_operand(struct plan_build *b, char kind, va_list *args)
{
	switch (kind) {
	case 'h':
	case 'p':
	case 's':
		return put_text(b, va_arg(*args, const char *));
	case 'l':
		return put_list(b, va_arg(*args, const struct text_vec *));
	case 'b': {
		const void *bytes = va_arg(*args, const void *);

		return put_blob(b, bytes, va_arg(*args, size_t));
	}
	default: /* n, t */
		return va_arg(*args, uint64_t);
	}
}

static void add(struct plan_build *b, const struct plan_op *op)
{
	struct plan_op *added = b->failed || b->ops.n == PLAN_OPS_MAX ? NULL : plan_op_vec_add(&b->ops, b->arena);

	if (added)
		*added = *op;
	else
		fail(b, b->ops.n == PLAN_OPS_MAX ? -E2BIG : -ENOMEM);
}

void plan_add(struct plan_build *b, enum plan_opcode code, const char *why, ...)
{
	const struct plan_op_info *info = plan_op_info(code);
	struct plan_op op = { .code = (uint16_t)code };
	va_list args;

	if (b->failed)
		return;
	if (!info) {
		fail(b, -EINVAL);
		return;
	}

	op.why = put_why(b, why ? why : "");
	va_start(args, why);
	for (size_t i = 0; info->operands[i]; i++)
		op.arg[i] = put_operand(b, info->operands[i], &args);
	va_end(args);
	add(b, &op);
}

static uint64_t copy_operand(struct plan_build *b, const struct plan *plan, const struct plan_op *op, unsigned i)
{
	char kind = plan_op_info(op->code)->operands[i];
	size_t n = (uint32_t)op->arg[i], at = b->bytes_len;

	if (kind == 'n' || kind == 't')
		return op->arg[i];
	if (kind == 'b')
		return put_blob(b, plan_blob(plan, op, i, &n), n);
	put(b, plan->bytes + (op->arg[i] >> 32), kind == 'l' ? n : n + 1);
	return pack(at, n);
}

void plan_add_copy(struct plan_build *b, const struct plan *plan, const struct plan_op *op)
{
	struct plan_op copy = { .code = op->code, .why = put_why(b, plan_why(plan, op)) };

	for (unsigned i = 0; plan_op_info(op->code)->operands[i]; i++)
		copy.arg[i] = copy_operand(b, plan, op, i);
	add(b, &copy);
}

void plan_build_note(struct plan_build *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);

	const char *text = arena_vprintf(b->arena, fmt, args);

	va_end(args);

	const char **note = text ? text_vec_add(&b->notes, b->arena) : NULL;

	if (note)
		*note = text;
	else
		fail(b, -ENOMEM);
}

unsigned plan_build_slot(struct plan_build *b)
{
	if (b->slots == PLAN_SLOTS_MAX) {
		fail(b, -E2BIG);
		return 0;
	}
	return b->slots++;
}

/* The operations were written before it was known how long the notes are that stand in front of their bytes. */
static struct plan_op shift(const struct plan_op *op, size_t by)
{
	const char *kinds = plan_op_info(op->code)->operands;
	struct plan_op shifted = *op;

	shifted.why += (uint32_t)by;
	for (size_t i = 0; kinds[i]; i++)
		if (strchr("hpslb", kinds[i]))
			shifted.arg[i] += (uint64_t)by << 32;
	return shifted;
}

static size_t notes_length(const struct plan_build *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->notes.n; i++)
		n += strlen(b->notes.at[i]) + 1;
	return (n + PLAN_BLOB_ALIGN - 1) / PLAN_BLOB_ALIGN * PLAN_BLOB_ALIGN;
}

static int lay_out(struct plan_build *b, struct plan *ret_plan)
{
	size_t notes = notes_length(b), bytes = notes + b->bytes_len + 1; /* and a NUL, should a blob be last */
	size_t size = sizeof(struct plan_head) + b->ops.n * sizeof(struct plan_op) + bytes;

	if (bytes > PLAN_BYTES_MAX)
		return -E2BIG;

	struct plan_head *head = arena_alloc(b->arena, size);

	if (!head)
		return -ENOMEM;
	*head = (struct plan_head){
		.magic = PLAN_MAGIC,
		.version = PLAN_VERSION,
		.op_count = (uint32_t)b->ops.n,
		.note_count = (uint32_t)b->notes.n,
		.bytes_len = (uint32_t)bytes,
		.slots = b->slots,
	};

	struct plan_op *op = (struct plan_op *)(head + 1);
	char *text = (char *)(op + b->ops.n);

	for (size_t i = 0; i < b->ops.n; i++)
		op[i] = shift(&b->ops.at[i], notes);
	if (b->bytes_len)
		memcpy(text + notes, b->bytes, b->bytes_len);
	for (size_t i = 0; i < b->notes.n; i++) {
		size_t n = strlen(b->notes.at[i]) + 1;

		memcpy(text, b->notes.at[i], n);
		text += n;
	}
	return plan_open(head, size, ret_plan);
}

static int check(const struct plan *plan, struct err *err)
{
	struct plan_verdict verdict = plan_check(plan);

	if (verdict.fault == PLAN_FINE)
		return 0;
	if (verdict.op >= plan->head->op_count)
		return err_set(err, ERR_INTERNAL, EINVAL, "plan of %u operations: %s", plan->head->op_count,
		               plan_fault_text(verdict.fault));

	const struct plan_op *op = &plan->op[verdict.op];
	struct str shown autostr;

	str_init(&shown, ERR_TEXT_MAX);
	plan_print_op(plan, op, &shown);
	err_set(err, ERR_INTERNAL, EINVAL, "operation %u, %s: %s", verdict.op, shown.text, plan_fault_text(verdict.fault));
	err_at(err, plan_why(plan, op));
	return -EINVAL;
}

int plan_build_done(struct plan_build *b, struct plan *ret_plan, struct err *err)
{
	struct plan plan;
	int r = b->failed ? b->failed : lay_out(b, &plan);

	if (r == -E2BIG)
		return err_set(err, ERR_LIMIT, E2BIG, "the plan is longer than %d operations or %d bytes", PLAN_OPS_MAX, PLAN_BYTES_MAX);
	if (r == -ENOMEM)
		return err_set(err, ERR_LIMIT, ENOMEM, "the plan does not fit into the memory of the request");
	if (r != 0)
		return err_set(err, ERR_INTERNAL, -r, "the plan is not well formed");
	r = check(&plan, err);
	if (r < 0)
		return r;
	*ret_plan = plan;
	return 0;
}
