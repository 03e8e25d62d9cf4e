/*
 * filter.h: the words that a fixed system call filter of our own programs is written in: BEGIN, then the list, one comparison a call, then what to do with
 * the rest. Filters of sandboxes are compiled from the policy instead (compile/bpf.h).
 */
#ifndef COFFER_SYS_FILTER_H
#define COFFER_SYS_FILTER_H

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#else
#error "add this architecture"
#endif
enum { X32 = 0x40000000 };

/* clang-format off: one word a line */
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, field))
#define LOAD_LOW(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(offsetof(struct seccomp_data, args) + 8 * (n)))
#define AND(bits) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (bits))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define DENY RETURN(SECCOMP_RET_ERRNO | EPERM)
#define IF(value, then_skip, else_skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), (then_skip), (else_skip))
#define IF_ANY(bits, then_skip, else_skip) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (unsigned)(bits), (then_skip), (else_skip))
#define CALL(name) IF(SYS_##name, 0, 1), ALLOW
/* The architecture, and the number, which is what the rest looks at. */
#ifdef __x86_64__
#define KILL_X32 , IF_ANY(X32, 0, 1), RETURN(SECCOMP_RET_KILL_PROCESS)
#else
#define KILL_X32
#endif
#define BEGIN LOAD(arch), IF(NATIVE, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS), LOAD(nr) KILL_X32
/* The next `n` instructions are for this call alone. The number has to be loaded again behind them, which ends in a return. */
#define ONLY(name, n) IF(SYS_##name, 0, (n))
/* clang-format on */

#endif
