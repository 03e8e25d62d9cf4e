/* keys.h: names of keys, as docker and podman have them: "ctrl-p,ctrl-q", "ctrl-a,d". */
#ifndef COFFER_CLI_KEYS_H
#define COFFER_CLI_KEYS_H

#include <stddef.h>

enum { KEYS_MAX = 16 };

/* The bytes that the keys send. Each is a character, or ctrl- with a letter or one of @[\]^_. "": none. -EINVAL. */
int keys_read(const char *text, char ret_bytes[KEYS_MAX], size_t *ret_n);

#endif
