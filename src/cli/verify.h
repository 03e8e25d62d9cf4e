/*
 * verify.h: `coffer verify` in parts: the programs, the two helpers that read them in sandboxes of their own, and the ways of telling what was found.
 */
#ifndef COFFER_CLI_VERIFY_H
#define COFFER_CLI_VERIFY_H

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "base/vec.h"

#include <coffer.h>
#include <stdbool.h>

enum verify_level { LEVEL_NOTE, LEVEL_WARNING, LEVEL_ERROR, LEVELS_END };

/* One finding, as coffer-verify told it: every text in it is a stranger's. */
struct verify_finding {
	const char *rule, *message, *why;
	enum verify_level level;
	size_t line, column, start, end; /* bytes, within the text */
};
VEC(struct verify_finding, verify_finding_vec)

struct verify_file {
	const char *name; /* "-" */
	const char *language;
	char *text; /* heap */
	size_t n;
	json_t *answer; /* what coffer-verify said, or NULL */
	struct verify_finding_vec findings;
	/* What CPython says of it: NULL: was not asked, or is not there; "": it parses. */
	const char *syntax;
	size_t syntax_line, syntax_column;
};
VEC(struct verify_file, verify_file_vec)

struct verify_work {
	struct arena *arena;
	struct coffer *coffer;
	struct verify_file_vec files;
	bool anvil;
	enum verify_level level;
	const char *const *words; /* of coffer-verify */
};

/* Fills in `answer` of each file. */
int verify_read(struct verify_work *work, struct coffer_error *error);
/* Fills in `syntax` of the Python files that it matters for, where there is a python3. */
int verify_ask_python(struct verify_work *work, struct coffer_error *error);

void verify_print_human(const struct verify_work *work, struct str *out);
void verify_print_json(const struct verify_work *work, struct str *out);
void verify_print_sarif(const struct verify_work *work, struct str *out);

const char *verify_level_name(enum verify_level level);

#endif
