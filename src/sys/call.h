/*
 * call.h: what the arguments of a system call mean: which are paths, which flags. Only calls that make, change or open by path, go
 * to an address, signal, or set the umask.
 */
#ifndef COFFER_SYS_CALL_H
#define COFFER_SYS_CALL_H

#include <fcntl.h>
#include <stdint.h>

enum call_kind {
	CALL_OPEN,
	CALL_MKDIR,
	CALL_MKNOD,
	CALL_SYMLINK,
	CALL_LINK,   /* from the first path to the second */
	CALL_RENAME, /* the same */
	CALL_REMOVE,
	CALL_RMDIR,
	CALL_TRUNCATE,
	CALL_BIND,
	CALL_CONNECT,
	CALL_METADATA, /* of what a name leads to */
	CALL_ADDRESS,
	CALL_SIGNAL,
	CALL_UMASK,
};

/* The flags of an open that could write or make. Not O_ACCMODE: that is wider in musl. */
#define CALL_OPEN_WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

enum { CALL_NONE = 7 }; /* no such argument */

/* Numbers of arguments. A path without a directory argument starts at the working directory. */
struct call {
	uint16_t number;
	uint8_t kind;
	uint8_t dir : 4,
	    path : 4; /* BIND, CONNECT: dir is the socket; BIND, CONNECT, ADDRESS: path is the address; SIGNAL: the process; SYMLINK: the name that is made */
	uint8_t dir2 : 4, path2 : 4; /* SYMLINK: path2 is the link's text */
	uint8_t flags : 4,
	    mode : 4; /* TRUNCATE, BIND, CONNECT, ADDRESS: flags is the length; SIGNAL: the signal; MKNOD: the device follows the mode */
};

/* NULL for all other calls. */
const struct call *call_find(int number);

#endif
