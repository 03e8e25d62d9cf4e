/*
 * local.h: local sockets (AF_UNIX), made for a process that may not connect them itself.
 *
 * Whoever holds a stream or seqpacket socket that is neither connected nor listening can connect it to whatever it finds a path to, and a system
 * call filter sees no path. So such a process is given a blank in place of each socket that it asks for: one half of a pair whose other half is
 * closed, which the kernel will never connect to anything (EISCONN), nor let listen. What it is for is known when it is to be bound or connected: then
 * another process makes the successor, binds and starts it, or connects it, and puts it where the blank was. Datagram sockets have no blank: each
 * message can bring an address of its own.
 */
#ifndef COFFER_SYS_LOCAL_H
#define COFFER_SYS_LOCAL_H

#include <stdbool.h>
#include <sys/stat.h>

/* type as in socket(2), with SOCK_NONBLOCK if it is to be. A descriptor, close-on-exec; -EPROTONOSUPPORT, -ESOCKTNOSUPPORT. */
int local_blank(int type, int protocol);
bool local_is_blank(int fd);
/* A new socket with the blank's type and options, which does not block yet. */
int local_successor(int blank);

/*
 * Sockets in the file system that are known to be what they are: descriptors keep their inodes from being used again. What has no name left is
 * forgotten when there is no more room; -ENFILE when that does not help.
 */
enum { LOCAL_KNOWN_MAX = 128 };
struct local_set {
	int fd[LOCAL_KNOWN_MAX];
	dev_t dev[LOCAL_KNOWN_MAX];
	ino_t ino[LOCAL_KNOWN_MAX];
	unsigned n;
};
/* fd is O_PATH and taken over, whatever happens. What is no socket is not added: -ENOTSOCK. */
int local_set_add(struct local_set *set, int take_fd);
bool local_set_has(const struct local_set *set, const struct stat *st);

/* Is the process at the other end of a connection one that this process can see, which means: of its own pid namespace? */
bool local_peer_is_visible(int fd);

#endif
