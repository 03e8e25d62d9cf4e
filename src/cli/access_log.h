/*
 * access_log.h: what became of each connection, a line of JSON each (--access-log).
 */
#ifndef COFFER_CLI_ACCESS_LOG_H
#define COFFER_CLI_ACCESS_LOG_H

#include <coffer.h>

/* The file, to be added to; made with mode 0600 when it is missing. A descriptor, or a negative errno. */
int access_log_open(const char *path);
/* 0 or a negative errno. */
int access_log_write(int fd, const struct coffer_connection *connection);

#endif
