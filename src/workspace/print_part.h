/* print_part.h: what the printers of changes share. */
#ifndef COFFER_WORKSPACE_PRINT_PART_H
#define COFFER_WORKSPACE_PRINT_PART_H

#include "workspace/print.h"

typedef int print_one(const struct changes *changes, const struct printer *printer, const struct change *change, struct str *out);

/* Has every change that is selected and shows printed, and passes the text on. */
int print_each(const struct changes *changes, const struct printer *printer, print_one *one, struct err *err);
/* Passes on what has gathered and forgets it. */
int print_flush(const struct printer *printer, struct str *out);
#define PRINT_ROOM ((size_t)1 << 30)

#endif
