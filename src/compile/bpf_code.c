#include "compile/bpf_code.h"

#include <linux/bpf_common.h>
#include <string.h>

/* One less than a jump's eight bits hold: bridging one way of a jump pushes the other way one instruction further off. */
enum { REACH = 254 };

void bpf_code_init(struct bpf_code *code)
{
	memset(code, 0, sizeof(*code));
}

static struct sock_filter *instruction(struct bpf_code *code, unsigned place)
{
	return &code->at[BPF_CODE_MAX - place];
}

static unsigned put(struct bpf_code *code, struct sock_filter what)
{
	if (code->n == BPF_CODE_MAX) {
		code->full = true;
		return code->n;
	}
	code->n++;
	*instruction(code, code->n) = what;
	return code->n;
}

/* The next instruction to be put would skip this many to land on a place. */
static unsigned distance(const struct bpf_code *code, unsigned place)
{
	return code->n - place;
}

static unsigned put_jump(struct bpf_code *code, unsigned place)
{
	return put(code, (struct sock_filter){ .code = BPF_JMP | BPF_JA, .k = distance(code, place) });
}

/* A place within reach that does the same: the place itself, a bridge that is there already, or a new one. */
static unsigned reach(struct bpf_code *code, unsigned place)
{
	unsigned bridge = code->bridge[place];

	if (distance(code, place) <= REACH)
		return place;
	if (bridge && distance(code, bridge) <= REACH)
		return bridge;
	/* A verdict's copy is as long as a jump to it, and quicker. */
	if (BPF_CLASS(instruction(code, place)->code) == BPF_RET)
		bridge = put(code, *instruction(code, place));
	else
		bridge = put_jump(code, place);
	code->bridge[place] = (uint16_t)bridge;
	return bridge;
}

/* Code that just runs on needs its successor right behind it. */
static void follow(struct bpf_code *code, unsigned next)
{
	if (next != code->n)
		put_jump(code, next);
}

unsigned bpf_return(struct bpf_code *code, uint32_t verdict)
{
	return put(code, (struct sock_filter){ .code = BPF_RET | BPF_K, .k = verdict });
}

unsigned bpf_load(struct bpf_code *code, size_t offset, unsigned next)
{
	follow(code, next);
	return put(code, (struct sock_filter){ .code = BPF_LD | BPF_W | BPF_ABS, .k = (uint32_t)offset });
}

unsigned bpf_mask(struct bpf_code *code, uint32_t mask, unsigned next)
{
	follow(code, next);
	return put(code, (struct sock_filter){ .code = BPF_ALU | BPF_AND | BPF_K, .k = mask });
}

unsigned bpf_if(struct bpf_code *code, uint16_t test, uint32_t k, unsigned yes, unsigned no)
{
	struct sock_filter jump = { .code = BPF_JMP | test | BPF_K, .k = k };

	if (yes == no)
		return yes;
	yes = reach(code, yes);
	no = reach(code, no);
	jump.jt = (uint8_t)distance(code, yes);
	jump.jf = (uint8_t)distance(code, no);
	return put(code, jump);
}

const struct sock_filter *bpf_code_start(const struct bpf_code *code)
{
	return &code->at[BPF_CODE_MAX - code->n];
}
