/*
 * bpf_code.h: writes a classic BPF program from its end to its start.
 *
 * Jumps of classic BPF only go forward. Written backwards, every target is known before the jump to it, so there are no
 * labels and no second pass: each function below puts one instruction in front of what is there, and answers with its
 * place, which later (that is, earlier) instructions name as their target.
 *
 *   no = bpf_return(code, SECCOMP_RET_ERRNO | EPERM);
 *   yes = bpf_return(code, SECCOMP_RET_ALLOW);
 *   start = bpf_load(code, offsetof(struct seccomp_data, nr), bpf_if(code, BPF_JEQ, __NR_read, yes, no));
 *
 * A place stays valid at any distance: where a conditional jump's eight bits do not reach, a bridge is put in between.
 */
#ifndef COFFER_COMPILE_BPF_CODE_H
#define COFFER_COMPILE_BPF_CODE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BPF_CODE_MAX = 1024 };

struct bpf_code {
	struct sock_filter at[BPF_CODE_MAX]; /* filled from the end */
	unsigned n;                          /* instructions so far; the newest one is at place n */
	bool full;                           /* there was no room: the program is useless */
	uint16_t bridge[BPF_CODE_MAX + 1];   /* of each place, the nearest way to it; 0: none yet */
};

void bpf_code_init(struct bpf_code *code);

/* Ends with a verdict. */
unsigned bpf_return(struct bpf_code *code, uint32_t verdict);

/* Loads a word of struct seccomp_data, or clears the bits of the loaded word that are not in mask, then goes to next. */
unsigned bpf_load(struct bpf_code *code, size_t offset, unsigned next);
unsigned bpf_mask(struct bpf_code *code, uint32_t mask, unsigned next);

/* Compares the loaded word with k: BPF_JEQ, BPF_JGE, BPF_JGT or BPF_JSET. No instruction at all where both ways lead to one place. */
unsigned bpf_if(struct bpf_code *code, uint16_t test, uint32_t k, unsigned yes, unsigned no);

/* The finished program: its first instruction is the newest. */
const struct sock_filter *bpf_code_start(const struct bpf_code *code);

#endif
