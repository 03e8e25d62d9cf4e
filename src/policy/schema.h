/*
 * schema.h: every field of a settings document, as data.
 *
 * schema.def is the table. From it come the reader, the options of the command line, --help, coffer-settings(5), the JSON Schema
 * and the printer. There is one setter for each kind (set.h), and no parser of any one field.
 */
#ifndef COFFER_POLICY_SCHEMA_H
#define COFFER_POLICY_SCHEMA_H

#include "base/str.h"
#include "policy/policy.h"

#include <stdbool.h>
#include <stddef.h>

enum policy_kind {
	POLICY_BOOL,
	POLICY_CHOICE,      /* one of `choices`; lands in an enum with the same order */
	POLICY_SIZE,        /* struct policy_limit */
	POLICY_DURATION,    /* struct policy_limit */
	POLICY_COUNT,       /* struct policy_limit */
	POLICY_SHARE,       /* struct policy_limit */
	POLICY_DEPTH,       /* unsigned, 1 to 10 */
	POLICY_MODE,        /* unsigned, octal text */
	POLICY_HOSTNAME,    /* const char * */
	POLICY_PROFILE,     /* const char *, the name of a built-in profile */
	POLICY_PATH,        /* const char * */
	POLICY_PATHS,       /* struct rule_vec */
	POLICY_NAMES,       /* struct text_vec of names of variables */
	POLICY_VARIABLES,   /* struct variable_vec */
	POLICY_DOMAINS,     /* struct domain_vec */
	POLICY_ADDRESSES,   /* struct text_vec of addresses and ranges */
	POLICY_PUBLISH,     /* struct published_vec */
	POLICY_REASONS,     /* struct variable_vec: texts by domain patterns */
	POLICY_PORT,        /* unsigned, 1 to 65535 */
	POLICY_PARENT,      /* struct variable_vec: a proxy behind ours */
	POLICY_MITM,        /* struct policy_mitm */
	POLICY_TLS,         /* struct policy_tls */
	POLICY_REQUESTS,    /* struct access_rule_vec */
	POLICY_HEADERS,     /* struct text_vec of names of headers */
	POLICY_CREDENTIALS, /* struct credential_vec */
	POLICY_AWS_PAIRS,   /* struct credential_aws_pair_vec */
	POLICY_SIGV4,       /* struct credential_aws_passes */
	POLICY_TEXT_LISTS,  /* struct ignored_vec: lists of texts by texts */
	/* Shapes of srt's fields that land nowhere. */
	POLICY_TEXT,
	POLICY_TEXTS, /* a list of texts */
	POLICY_OBJECT,
	POLICY_ARRAY,
	POLICY_KINDS_END
};

enum policy_fate {
	POLICY_SET,        /* lands in struct policy */
	POLICY_IGNORED,    /* checked and dropped: it means nothing on Linux, or nothing that coffer does not do anyway */
	POLICY_UNSUPPORTED /* an error of code UNSUPPORTED unless it says nothing (false, an empty list) */
};

enum policy_origin {
	POLICY_OF_COFFER,
	POLICY_OF_SRT,
	POLICY_NEEDED_BY_SRT /* a document of srt's is wrong without it */
};

struct policy_field {
	const char *pointer; /* "/limits/memory" */
	enum policy_kind kind;
	enum policy_fate fate;
	size_t place, why; /* offsets in struct policy, of the value and of its provenance; why 0: none, or beside the value */
	enum policy_origin origin;
	const char *option, *alias; /* "allow-write", "write"; NULL: none */
	const char *choices;        /* "off|host", of a CHOICE; the members of an OBJECT, see set_shape.c */
	const char *sentence;
	const char *example; /* a JSON value */
};

struct policy_kind_info {
	const char *allowed;  /* "a size such as 512M", for messages */
	const char *argument; /* "SIZE", for --help; NULL where an option needs none */
	const char *schema;   /* a JSON Schema of the value, without braces; NULL where it depends on the field */
};

/* Steps through the table: first call with NULL; NULL at the end. Fields of one section follow each other. */
const struct policy_field *policy_field_next(const struct policy_field *previous);
size_t policy_field_index(const struct policy_field *field);
const struct policy_field *policy_field_by_pointer(const char *pointer);
const struct policy_field *policy_field_by_name(const char *name);     /* "limits.memory" */
const struct policy_field *policy_field_by_option(const char *option); /* "memory", "write"; without dashes */
const struct policy_kind_info *policy_kind_info(enum policy_kind kind);

/* Did a reader or an option set it? Only for fields with fate SET. */
bool policy_field_is_given(const struct policy *policy, const struct policy_field *field);

/* Choice number `index` of "off|host", and its length; NULL past the last. */
const char *policy_choice(const char *choices, unsigned index, size_t *ret_len);

#endif
