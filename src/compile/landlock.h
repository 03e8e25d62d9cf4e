/*
 * landlock.h: file rights as the policy means them. Private to src/compile.
 */
#ifndef COFFER_COMPILE_LANDLOCK_H
#define COFFER_COMPILE_LANDLOCK_H

#include "compile/regions.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct compile;

uint64_t landlock_read_rights(bool is_dir);
uint64_t landlock_list_rights(void);
uint64_t landlock_write_rights(bool is_dir);
uint64_t landlock_device_rights(bool is_dir);
/* One rule, with those of the rights that the kernel's ABI has. */
void landlock_grant(struct compile *c, const char *path, uint64_t rights, const char *why);

/* carve.c: rung two's rules. */
int carve_regions(struct compile *c);
const char *carve_machine_file(size_t i); /* the files about the machine that it opens in any case; NULL at the end */
/* Can a hidden region be left out of what is granted around it? Else init guards it. */
bool carve_is_possible(const struct compile *c, const struct region *region);

#endif
