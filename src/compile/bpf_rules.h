/*
 * bpf_rules.h: what each rule of syscalls.def comes to for one request, as places in a program.
 */
#ifndef COFFER_COMPILE_BPF_RULES_H
#define COFFER_COMPILE_BPF_RULES_H

#include "compile/bpf.h"
#include "compile/bpf_code.h"

enum bpf_rule {
	RULE_MISSING, /* 0: also what no line names */
	RULE_ALLOW,
	RULE_REFUSE,
	RULE_NAME,
	RULE_OPEN,
	RULE_OPENAT,
	RULE_CREAT,
	RULE_MKNOD,
	RULE_MKNODAT,
	RULE_WRITE_PATH,
	RULE_CHMOD,
	RULE_FCHMOD,
	RULE_FCHMODAT,
	RULE_CONNECT,
	RULE_SENDTO,
	RULE_SIGNAL,
	RULE_BIND,
	RULE_UMASK,
	RULE_PTRACE,
	RULE_USERNS,
	RULE_IPC,
	RULE_SOCKET,
	RULE_SOCKETPAIR,
	RULE_SETSOCKOPT,
	RULE_CLONE,
	RULE_IOCTL,
	RULE_PRCTL,
	RULE_PERSONALITY,
	RULE_SECCOMP,
	RULE_PRLIMIT,
	RULE_SETRLIMIT,
	RULE_RULESET,
	RULES_END
};

/* Init's own rules, the third column of syscalls.def. */
enum bpf_init_rule { INIT_NO, INIT_YES, INIT_CLONE, INIT_IOCTL, INIT_PRCTL, INIT_SOCKET, INIT_RULES_END };

/* Puts the code of each rule that needs some into the program and fills its place. Rules that come to the same share one place. */
void bpf_rules_put(struct bpf_code *code, const struct bpf_request *request, unsigned ret_place[RULES_END]);
void bpf_init_rules_put(struct bpf_code *code, unsigned ret_place[INIT_RULES_END]);

#endif
