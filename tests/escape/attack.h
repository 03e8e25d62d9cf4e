/*
 * attack.h: one program, many attacks: `attack NAME`. Exit status 42 says that the attack got what it wanted, 1 that it
 * was refused, 3 that this machine has no such thing to attack. The runner shows each one succeed outside a sandbox first.
 *
 * Where the targets are comes from the environment, made by the runner:
 *   A_OUT  a directory outside of the policy, with `secret` (holding CANARY), `victim` (writable), `sock`, `dgram`
 *   A_WS   the workspace   A_PID  a process of the same user   A_PORT, A_UDP  listeners on 127.0.0.1
 *   A_ABSTRACT  an abstract socket's name   A_SHM  a System V segment   A_MQ, A_KEY …
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <stdbool.h>

enum { BREACH = 42, REFUSED = 1, NO_TARGET = 3 };
#define CANARY "CANARY-7f3a"

struct attack {
	const char *name;
	int (*run)(void);
};
extern const struct attack file_attacks[], kernel_attacks[], process_attacks[], net_attacks[];

const char *target(const char *variable);                         /* exits with 3 when the variable is not set */
const char *target_path(const char *variable, const char *below); /* static buffer, two in turn */
long target_number(const char *variable);
bool file_has_canary(const char *path);
int breach_if(bool yes);

#endif
