/*
 * print.h: a policy as settings, and the table of settings as a JSON Schema. Both are the table of schema.h walked once.
 *
 * What is printed reads back as the same policy: every field that lands in struct policy stands there, derived rules do not, and
 * lists hold what was added to the default. Values of variables with a secret's name print as •••, and only they do not read back.
 * Requests that a policy has yet to merge are not printed: resolve it first.
 */
#ifndef COFFER_POLICY_PRINT_H
#define COFFER_POLICY_PRINT_H

#include "base/str.h"
#include "policy/schema.h"

void policy_print_json(const struct policy *policy, struct str *out);
/* One field as a JSON value; nothing when the policy says nothing about it. field has fate SET. */
void policy_print_field(const struct policy *policy, const struct policy_field *field, struct str *out);
/* print_object.c: the value of a TLS, REQUESTS or CREDENTIALS; for print.c. */
void policy_print_object(enum policy_kind kind, const void *place, struct str *out);
/* JSON Schema, draft 2020-12, of coffer's dialect. initial is the policy whose values are the defaults. */
void policy_print_schema(const struct policy *initial, struct str *out);

#endif
