/*
 * nft.h: nf_tables, as far as coffer needs it: connections of the calling process's network namespace are led to sockets of its loopback.
 *
 * Linux 5.2 (nat in the inet family) with CONFIG_NFT_REDIR, which may be modules that the kernel loads itself. Where it is missing: -EOPNOTSUPP,
 * -ENOENT, -EPROTONOSUPPORT and others, and nothing has been done.
 */
#ifndef COFFER_SYS_NFT_H
#define COFFER_SYS_NFT_H

#include <stdint.h>

/*
 * Ports on the loopback: TCP to any other IPv4 or IPv6 address goes there, and what is sent to UDP port 53 over IPv4 to whomever. 0: is not led
 * anywhere. Whom it was for: SO_ORIGINAL_DST of the accepted socket; datagrams are answered as if by that one.
 */
struct nft_redirect {
	uint16_t tcp4, tcp6, dns4;
};
int nft_redirect(const struct nft_redirect *redirect);

#endif
