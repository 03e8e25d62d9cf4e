/*
 * sock.h: packets with descriptors between two processes (SOCK_SEQPACKET). Sending never blocks and never raises SIGPIPE.
 */
#ifndef COFFER_SYS_SOCK_H
#define COFFER_SYS_SOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A connected pair, both close-on-exec. */
int sock_pair(int ret_ends[2]);

/* 0, or a negative errno: -EAGAIN when the peer has not read for long, -EPIPE when it is gone. */
int sock_send(int fd, const void *packet, size_t n);

/* The same with a descriptor, which stays the caller's. */
int sock_send_fd(int fd, const void *packet, size_t n, int passed);

enum { SOCK_FDS_MAX = 8 };
/* The same with up to SOCK_FDS_MAX of them; and the next packet with exactly as many or none (-1 each), else -EPROTO. The rest as sock_receive. */
int sock_send_fds(int fd, const void *packet, size_t n, const int *passed, size_t passed_n);
ssize_t sock_receive_fds(int fd, void *packet, size_t room, int *ret_fds, size_t fds_n);

/*
 * The next packet, without waiting: its length, 0 when the peer is gone, -EAGAIN when there is none now, -EMSGSIZE for one that
 * does not fit. *ret_fd is a descriptor that came along, close-on-exec and the caller's, or -1.
 */
ssize_t sock_receive(int fd, void *packet, size_t room, int *ret_fd);

/* A TCP socket of the host's that listens, close-on-exec. An address that is none: -EINVAL. */
int sock_listen(const char *address, uint16_t port);
/* A socket at 127.0.0.1 or ::1, listening if it is SOCK_STREAM. *port 0: any, and *port says which. */
int sock_loopback(int family, int type, uint16_t *port);
/* A new TCP socket of this process's network, sent with the packet; the packet alone when there is none to be had. */
int sock_send_new(int fd, const void *packet, size_t n);

#endif
