/*
 * params.h: what a request brings, checked against its method's list of parameters before anybody looks at it.
 *
 *   text    a string                     count   0 to 2^53−1            flag    true or false
 *   path    a string, or {"base64"}      data    base64                 object  array
 *   texts   strings, at least one        labels  object of texts        env     object of texts and nulls
 *
 * The getters are for parameters of the right type; null and missing are the same.
 */
#ifndef COFFER_CHANNEL_PARAMS_H
#define COFFER_CHANNEL_PARAMS_H

#include "base/err.h"
#include "base/path.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { PARAMS_ARGV_MAX = 1 << 16 };

/* params is an object. USAGE at the parameter that is wrong. */
int params_check(const char *list, const json_t *params, struct err *err);

/* NULL when it is not there. */
const json_t *params_get(const json_t *params, const char *name);
const char *params_text(const json_t *params, const char *name);
uint64_t params_count(const json_t *params, const char *name, uint64_t otherwise);
bool params_flag(const json_t *params, const char *name, bool otherwise);
/* "" when it is not there. -EINVAL for one that is no path at all. */
int params_path(const json_t *value, char ret_path[PATH_BYTES_MAX + 1], struct err *err);
/* Adds the bytes. 0 or -ENOMEM (its ceiling). */
int params_data(const json_t *params, const char *name, struct str *bytes);
/* A vector of strings, NULL-terminated; the strings are the parameter's, the vector the caller's to free. NULL: no memory. */
const char **params_texts(const json_t *params, const char *name);

#endif
