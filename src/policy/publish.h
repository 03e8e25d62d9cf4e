/*
 * publish.h: ports of servers inside that can be reached from the host: "8080", "8080:80", "192.0.2.1:8080:80", "[::1]:8080".
 */
#ifndef COFFER_POLICY_PUBLISH_H
#define COFFER_POLICY_PUBLISH_H

#include "base/arena.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct published {
	const char *text;     /* as written */
	const char *why;      /* who asked; the caller's to fill */
	const char *address;  /* of the host's, canonical; 127.0.0.1 unless another one is written */
	uint16_t port, inner; /* the host's, and that of the server inside */
};
VEC(struct published, published_vec)

/* 0, -EINVAL or -ENOMEM. `text` is borrowed for as long as the result. */
int publish_parse(struct arena *arena, const char *text, struct published *ret);
bool publish_is_same(const struct published *a, const struct published *b);

#endif
