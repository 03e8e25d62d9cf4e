/* stat.h: what the kernel says about a file, as files.h has it; for the other files here. */
#ifndef COFFER_FILES_STAT_H
#define COFFER_FILES_STAT_H

#include "files/files.h"

struct files_stat stat_of(const struct stat *st);

#endif
