/*
 * sni.h: which host a TLS client asks for (RFC 6066), read from its first bytes. No state, no allocation.
 *
 * The ClientHello may be spread over records and segments: the caller comes again with more bytes, from the first one on. What looks like a TLS
 * record and is not the start of a well-formed ClientHello with at most one name is SNI_BAD: servers differ in what they make of it. So is a ClientHello
 * in a record of another version, or in the format of SSL 2.
 */
#ifndef COFFER_EGRESS_SNI_H
#define COFFER_EGRESS_SNI_H

#include <stddef.h>

enum sni_kind {
	SNI_MORE,    /* undecided yet */
	SNI_NOT_TLS, /* another protocol */
	SNI_ABSENT,  /* a ClientHello that names nobody */
	SNI_NAME,
	SNI_BAD,
};
enum { SNI_NAME_MAX = 255, SNI_BYTES_MAX = 20 << 10 }; /* a ClientHello with post-quantum key shares has about 2 kB */

struct sni {
	enum sni_kind kind;
	char name[SNI_NAME_MAX + 1]; /* as sent: any bytes */
	size_t name_n;
};

struct sni sni_look(const void *first, size_t n);

#endif
