/* secret.h: which variables of an environment are never shown, whoever asks. */
#ifndef COFFER_PLAN_SECRET_H
#define COFFER_PLAN_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#define SECRET_SHOWN "•••"

/* Does a variable of this name, n bytes long, look as if its value were a secret? Case does not matter. */
bool secret_is_name(const char *name, size_t n);

#endif
