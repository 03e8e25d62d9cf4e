/* truststore.h: certificates in the form that Java reads (JKS). Without a password nobody checks its digest, so there is none. */
#ifndef COFFER_COMPILE_TRUSTSTORE_H
#define COFFER_COMPILE_TRUSTSTORE_H

#include "base/arena.h"
#include "base/str.h"

/* Of PEM, whose other blocks are left out, and those that are no base64. A failure is out->failed. */
void truststore_write(const char *pem, struct arena *arena, struct str *out);

#endif
