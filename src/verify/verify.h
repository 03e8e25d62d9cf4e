/*
 * verify.h: reading a program before it runs, and saying what it may do that its reader should know.
 *
 * A judgement, not a wall: what cannot be read is told as such (UNREADABLE, REFLECTION), and a sandbox has to hold whatever was read. Pure but for the
 * parser's memory; every byte of the program is hostile, so whoever calls this is a process of its own (inspect/), with ceilings on memory and time.
 */
#ifndef COFFER_VERIFY_VERIFY_H
#define COFFER_VERIFY_VERIFY_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum verify_rule {
#define RULE(id, name, severity, why) RULE_##id,
#include "verify/rules.def"
#undef RULE
	RULES_END
};

enum verify_severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

struct verify_rule_facts {
	const char *name, *why;
	enum verify_severity severity;
};
extern const struct verify_rule_facts verify_rules[RULES_END];
const char *verify_severity_name(enum verify_severity severity); /* "error" */

enum verify_language {
#define LANGUAGE(id, name, suffixes) LANGUAGE_##id,
#include "verify/languages.def"
#undef LANGUAGE
	LANGUAGES_END
};
/* By its name. LANGUAGES_END: not known. */
enum verify_language verify_language(const char *name);

enum verify_mode {
	VERIFY_STRICT,
	VERIFY_ANVIL, /* Python alone: the rules, order and wording of Anvil's analyser */
};

enum { VERIFY_TEXT_MAX = 1 << 20 };

struct verify_request {
	const char *text;
	size_t n;
	enum verify_language language;
	enum verify_mode mode;
	bool allowed[RULES_END];
	/* Anvil's lists, comma-separated; NULL: its defaults, "": none. */
	const char *imports, *functions;
};

struct finding {
	enum verify_rule rule;
	uint32_t start, end; /* bytes */
	const char *message;
};
VEC(struct finding, finding_vec)

/* Something the program would need of a policy. */
enum verify_need { NEED_HOST, NEED_NETWORK, NEED_READ, NEED_WRITE, NEED_PROGRAM, NEED_PROCESS, NEED_ENVIRONMENT, NEED_NATIVE, NEEDS_END };
struct need {
	enum verify_need need;
	const char *value; /* a host, a path, a variable, a program; NULL: it cannot be told which */
	uint32_t start, end;
};
VEC(struct need, need_vec)

struct verify_report {
	struct finding_vec findings; /* in the mode's own order */
	struct need_vec needs;
	bool truncated; /* there was more */
	bool broken;    /* the grammar found mistakes; the first is here: */
	uint32_t broken_at;
};

/* Judges one program. -ENOMEM: the arena is full; -EFBIG: the program is longer than VERIFY_TEXT_MAX. */
int verify(const struct verify_request *request, struct arena *arena, struct verify_report *ret_report, struct err *err);

/* The report as one JSON object; lines and columns (in characters) are counted here. */
int verify_print(const struct verify_request *request, const struct verify_report *report, struct arena *arena, struct str *out);

#endif
