/*
 * bpf_machine.h: runs a seccomp program as the kernel would, one instruction at a time, for the tests of compile/bpf*.
 *
 * Bounds are checked at every step; jumps only go forward, so a run ends after at most as many steps as there are instructions.
 */
#ifndef COFFER_TEST_BPF_MACHINE_H
#define COFFER_TEST_BPF_MACHINE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct machine {
	const struct sock_filter *program;
	size_t n;
	uint32_t a; /* the accumulator */
	uint32_t verdict;
	unsigned steps;
	unsigned arguments_read;
	bool ended, broken; /* a verdict was reached; the program left its bounds or its subset */
};

static inline void machine_load(struct machine *m, const struct seccomp_data *data, uint32_t offset)
{
	if (offset % 4 || offset + 4 > sizeof(*data)) {
		m->broken = true;
		return;
	}
	if (offset >= offsetof(struct seccomp_data, args))
		m->arguments_read++;
	memcpy(&m->a, (const char *)data + offset, sizeof(m->a));
}

/* How many instructions to skip. */
static inline size_t machine_jump(struct machine *m, const struct sock_filter *at)
{
	switch (BPF_OP(at->code)) {
	case BPF_JA:
		return at->k;
	case BPF_JEQ:
		return m->a == at->k ? at->jt : at->jf;
	case BPF_JGE:
		return m->a >= at->k ? at->jt : at->jf;
	case BPF_JGT:
		return m->a > at->k ? at->jt : at->jf;
	case BPF_JSET:
		return m->a & at->k ? at->jt : at->jf;
	default:
		m->broken = true;
		return 0;
	}
}

static inline size_t machine_step(struct machine *m, const struct seccomp_data *data, const struct sock_filter *at)
{
	if (at->code == (BPF_LD | BPF_W | BPF_ABS)) {
		machine_load(m, data, at->k);
		return 0;
	}
	if (at->code == (BPF_ALU | BPF_AND | BPF_K)) {
		m->a &= at->k;
		return 0;
	}
	if (at->code == (BPF_RET | BPF_K)) {
		m->verdict = at->k;
		m->ended = true;
		return 0;
	}
	if (BPF_CLASS(at->code) == BPF_JMP && BPF_SRC(at->code) == BPF_K)
		return machine_jump(m, at);
	m->broken = true;
	return 0;
}

static inline struct machine machine_run(const struct sock_filter *program, size_t n, const struct seccomp_data *data)
{
	struct machine m = { .program = program, .n = n };
	size_t at = 0;

	while (!m.ended && !m.broken) {
		if (at >= n) {
			m.broken = true;
			break;
		}
		m.steps++;
		at += 1 + machine_step(&m, data, &program[at]);
	}
	return m;
}

/* Whether every instruction can be reached from the first. n is at most BPF_MAXINSNS. */
static inline bool machine_all_reached(const struct sock_filter *program, size_t n)
{
	bool reached[BPF_MAXINSNS + 256] = { true };

	for (size_t at = 0; at < n; at++) {
		if (!reached[at])
			return false;
		if (BPF_CLASS(program[at].code) == BPF_RET)
			continue;
		if (program[at].code == (BPF_JMP | BPF_JA)) {
			reached[at + 1 + program[at].k % BPF_MAXINSNS] = true;
		} else if (BPF_CLASS(program[at].code) == BPF_JMP) {
			reached[at + 1 + program[at].jt] = true;
			reached[at + 1 + program[at].jf] = true;
		} else {
			reached[at + 1] = true;
		}
	}
	return true;
}

#endif
