/*
 * banned.h: functions that this project does not use. The build puts it in front of every source file of src/; a use is a
 * compile error, "attempt to use poisoned". Headers that declare them come first, for they may.
 */
#ifndef COFFER_BASE_BANNED_H
#define COFFER_BASE_BANNED_H

#include <alloca.h>
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Some of them are macros by now; a macro cannot be poisoned. */
#undef alloca
#undef sprintf
#undef vsprintf

/* Write past the end, or have no idea where it is. */
#pragma GCC poison strcpy strcat stpcpy strncat sprintf vsprintf gets alloca
/* Leave the string open, or drop what did not fit without saying so. */
#pragma GCC poison strncpy
/* Keep state between calls. */
#pragma GCC poison strtok strerror_r asctime ctime gmtime localtime
/* Cannot say that the text was no number. base/num.h can. */
#pragma GCC poison atoi atol atoll atof
/* A shell in between. */
#pragma GCC poison system popen
/* A name first and a file later. */
#pragma GCC poison tmpnam tempnam mktemp

#endif
