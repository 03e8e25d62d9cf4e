/*
 * num.h: numbers as people write them.
 *
 * Sizes: "512M", "1.5GiB", "4096" (bytes); K M G T are powers of 1024, KB MB GB TB of 1000, KiB… of 1024.
 * Durations: "30s", "500ms", "2m", "1h30m", "1d", "1.5s"; a bare number is seconds. Counts: decimal digits.
 * "unlimited" (or "none") gives NUM_UNLIMITED where the field allows it. Negative, overflow, trailing text: -EINVAL or -ERANGE.
 */
#ifndef COFFER_BASE_NUM_H
#define COFFER_BASE_NUM_H

#include "base/str.h"

#include <stdint.h>

#define NUM_UNLIMITED UINT64_MAX

int num_count(const char *text, uint64_t *ret);
int num_size(const char *text, uint64_t *ret_bytes);
int num_duration(const char *text, uint64_t *ret_ms);

void num_put_size(struct str *s, uint64_t bytes);  /* "256 MiB", exact or one decimal; "unlimited" */
void num_put_duration(struct str *s, uint64_t ms); /* "1m30s", "250ms" */

#endif
