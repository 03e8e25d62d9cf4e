/* set.h: one setter for each kind of field. Private to src/policy: the reader and policy_set call it. */
#ifndef COFFER_POLICY_SET_H
#define COFFER_POLICY_SET_H

#include "base/json.h"
#include "policy/fault.h"
#include "policy/schema.h"

/* One value on its way into a policy. Strings are copied into the arena. */
struct setter {
	struct policy *policy;
	struct arena *arena;
	const struct policy_field *field;
	const char *source; /* "settings.json", or "--memory" */
	bool is_option;     /* then numbers come as text, and the source alone is the provenance */
	struct fault_vec *faults;
};

/* Returns 0 or -ENOMEM. What is wrong with the value becomes a fault, and then nothing is set. */
int setter_apply(struct setter *setter, const json_t *value);

/* Says what is wrong with a value (a part of the field's, at index or name below it; "" is the field's own). allowed NULL: the kind's. */
int setter_refuse(struct setter *setter, const char *below, const json_t *value, const char *allowed);

/* set_object.c: objects by their members. read gets the member's value and its place below the field. */
struct setter_member {
	const char *name;
	int (*read)(struct setter *setter, void *object, const json_t *value, const char *below);
};
/* members ends with one that has no name. */
int setter_read_members(struct setter *setter, const struct setter_member *members, void *object, const json_t *value, const char *below);
/* Lists: each entry goes to `add`. `least` entries are wanted. */
int setter_read_list(struct setter *setter, void *list, const json_t *value, const char *below,
                     int (*add)(struct setter *setter, void *list, const json_t *entry, const char *below));
int setter_add_text(struct setter *setter, void *list, const json_t *entry, const char *below); /* a text_vec's */
int setter_add_pattern(struct setter *setter, void *list, const json_t *entry,
                       const char *below); /* a domain_vec's, for every field (set.c) */
bool setter_is_texts(const json_t *value);
/* A text that is not empty. */
int setter_read_text(struct setter *setter, const char **place, const json_t *value, const char *below);

/* The fields whose values are objects. */
int setter_set_tls(struct setter *setter, const json_t *value);
int setter_set_requests(struct setter *setter, const json_t *value);
int setter_set_headers(struct setter *setter, const json_t *value);
int setter_set_credentials(struct setter *setter, const json_t *value);
int setter_set_aws_pairs(struct setter *setter, const json_t *value);
int setter_set_sigv4(struct setter *setter, const json_t *value);
int setter_set_ignored(struct setter *setter, const json_t *value);

/* What a field allows, for messages. NULL when out of memory. */
const char *setter_allowed(const struct setter *setter);

/* The provenance of the field, or of what is below it. NULL when out of memory. */
const char *setter_why(const struct setter *setter, const char *below);
/* Where the value belongs. */
void *setter_place(const struct setter *setter);

/* set_ways.c: who reaches the world for us. As setter_apply. */
int setter_set_port(struct setter *setter, const json_t *value);
int setter_set_parent(struct setter *setter, const json_t *value);
int setter_set_mitm(struct setter *setter, const json_t *value);

/* set_shape.c: srt's fields that land nowhere. */
int setter_check_shape(struct setter *setter, const json_t *value);

#endif
