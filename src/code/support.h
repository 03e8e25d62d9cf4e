/*
 * support.h: programs of coffer's own that are put beside a snippet where a language needs one. They are files of src/code/support/, and part of the library:
 * tools/embed makes the table.
 */
#ifndef COFFER_CODE_SUPPORT_H
#define COFFER_CODE_SUPPORT_H

#include <stddef.h>

struct code_support {
	const char *name, *text;
	size_t n;
};
extern const struct code_support code_supports[]; /* ends with a name of NULL */

/* Beside the snippet it is called .NAME, which no file of the snippet's can be. NULL: there is none of that name. */
const struct code_support *code_support_named(const char *name);

#endif
