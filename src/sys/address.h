/*
 * address.h: socket addresses as people write them.
 */
#ifndef COFFER_SYS_ADDRESS_H
#define COFFER_SYS_ADDRESS_H

#include "sys/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/*
 * Adds "192.0.2.7:443" or "[2001:db8:0:0:0:0:0:1]:443" for the n bytes of a sockaddr, which may come from anywhere. False, and nothing, for other
 * families and for addresses of this machine itself (loopback, unspecified).
 */
bool address_add_remote(struct text *text, const void *address, size_t n);

/* "@name" for a local socket's name that is in no directory. */
enum { ADDRESS_ABSTRACT_MAX = 128 };
void address_spell_abstract(const struct sockaddr_storage *address, char ret_text[ADDRESS_ABSTRACT_MAX]);

#endif
