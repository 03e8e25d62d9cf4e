/*
 * address.h: socket addresses of the internet families, as people write them.
 */
#ifndef COFFER_SYS_ADDRESS_H
#define COFFER_SYS_ADDRESS_H

#include "sys/text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Adds "192.0.2.7:443" or "[2001:db8:0:0:0:0:0:1]:443" for the n bytes of a sockaddr, which may come from anywhere. False, and nothing, for other
 * families and for addresses of this machine itself (loopback, unspecified).
 */
bool address_add_remote(struct text *text, const void *address, size_t n);

#endif
