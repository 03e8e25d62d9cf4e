/*
 * Theory of operation. The program loads the architecture and the number, then goes through the list, one comparison a call; the most frequent
 * ones come first. Behind it are the few calls whose arguments matter. What is on no list fails with EPERM; another architecture is death.
 */
#include "egress/confine.h"

#include "sys/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
/* clang-format off: one call a line, or a few that belong together */
static const struct sock_filter filter[] = {
	BEGIN,
/* moving bytes */
#ifdef SYS_epoll_wait
	CALL(epoll_wait),
#endif
	CALL(epoll_pwait),
	CALL(recvfrom),
	CALL(sendto),
	CALL(splice),
	CALL(read),
	CALL(write),
	CALL(close),
	CALL(epoll_ctl),
	CALL(recvmsg),
	CALL(sendmsg),
#ifdef __GLIBC__
	CALL(sendmmsg), /* its resolver asks for both kinds of addresses at once */
#endif
	CALL(readv),
	CALL(writev),
	CALL(shutdown),
	CALL(pipe2),
	/* connections; `bind` is for the resolver's own port, and Landlock keeps TCP from it */
	CALL(accept4),
	CALL(connect),
	/* options that are used here or by a resolver, and none that has code of its own in the kernel, as filters and TLS have */
	ONLY(setsockopt, 17),
	LOAD_LOW(1),
	IF(SOL_SOCKET, 3, 0),
	IF(IPPROTO_TCP, 5, 0),
	IF(IPPROTO_IPV6, 6, 0),
	IF(IPPROTO_IP, 8, 10),
	LOAD_LOW(2),
	IF(SO_LINGER, 9, 0),
	IF(SO_KEEPALIVE, 8, 7),
	LOAD_LOW(2),
	IF(TCP_NODELAY, 6, 5),
	LOAD_LOW(2),
	IF(IPV6_V6ONLY, 4, 0),
	IF(IPV6_RECVERR, 3, 2),
	LOAD_LOW(2),
	IF(IP_RECVERR, 1, 0),
	DENY,
	ALLOW,
	CALL(getsockopt),
	CALL(getsockname),
	CALL(getpeername),
	CALL(bind),
	/* time, memory */
	CALL(clock_gettime),
	CALL(munmap),
	CALL(brk),
	CALL(mremap),
	CALL(madvise),
	/* a lookup: its own descriptors, files, end */
	CALL(close_range),
	/* nobody is signalled when there is something to read */
	ONLY(fcntl, 10),
	LOAD_LOW(1),
	IF(F_GETFD, 7, 0),
	IF(F_SETFD, 6, 0),
	IF(F_GETFL, 5, 0),
	IF(F_SETFL, 4, 0),
	IF(F_GET_SEALS, 3, 0),
	IF(F_DUPFD_CLOEXEC, 2, 0),
	IF(F_SETPIPE_SZ, 1, 0),
	DENY,
	ALLOW,
	CALL(fstat),
	CALL(lseek),
	CALL(getrandom),
	CALL(getpid),
	CALL(gettid),
	CALL(setitimer),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(futex),
	CALL(exit),
	CALL(exit_group),
	CALL(restart_syscall),
#ifdef SYS_poll
	CALL(poll),
	CALL(alarm),
#endif
	CALL(ppoll),
#ifdef SYS_newfstatat
	CALL(newfstatat),
#endif
	/* nothing that is written can be run */
	ONLY(mmap, 4),
	LOAD_LOW(2),
	IF_ANY(PROT_EXEC, 0, 1),
	DENY,
	ALLOW,
	ONLY(mprotect, 4),
	LOAD_LOW(2),
	IF_ANY(PROT_EXEC, 0, 1),
	DENY,
	ALLOW,
	/* files are read */
	ONLY(openat, 4),
	LOAD_LOW(2),
	IF_ANY(O_ACCMODE | O_CREAT | O_TRUNC, 0, 1),
	DENY,
	ALLOW,
#ifdef SYS_open
	ONLY(open, 4),
	LOAD_LOW(1),
	IF_ANY(O_ACCMODE | O_CREAT | O_TRUNC, 0, 1),
	DENY,
	ALLOW,
#endif
	/* TCP and UDP; routes, for the addresses of this host */
	ONLY(socket, 16),
	LOAD_LOW(0),
	IF(AF_INET, 4, 0),
	IF(AF_INET6, 3, 0),
	IF(AF_NETLINK, 0, 10),
	LOAD_LOW(2),
	IF(NETLINK_ROUTE, 9, 8),
	LOAD_LOW(2),
	IF(IPPROTO_IP, 2, 0),
	IF(IPPROTO_TCP, 1, 0),
	IF(IPPROTO_UDP, 0, 4), /* no SCTP, no MPTCP */
	LOAD_LOW(1),
	AND(0xf),
	IF(SOCK_STREAM, 2, 0),
	IF(SOCK_DGRAM, 1, 0),
	DENY,
	ALLOW,
	/* a child, and no thread */
	ONLY(clone, 4),
	LOAD_LOW(0),
	IF(SIGCHLD, 0, 1),
	ALLOW,
	DENY,
	ONLY(clone3, 1),
	RETURN(SECCOMP_RET_ERRNO | ENOSYS),
	ONLY(prctl, 4),
	LOAD_LOW(0),
	IF(PR_SET_PDEATHSIG, 0, 1),
	ALLOW,
	DENY,
	DENY,
};

static const struct sock_filter opener[] = {
	BEGIN,           CALL(recvfrom), CALL(sendto),      CALL(sendmsg), CALL(connect), CALL(close), CALL(exit), CALL(exit_group),
	ONLY(socket, 4), LOAD_LOW(0),    IF(AF_UNIX, 0, 1), ALLOW,         DENY,          DENY,
};
/* clang-format on */

size_t confine_opener_filter(const void **ret_filter)
{
	*ret_filter = opener;
	return sizeof(opener);
}

size_t confine_filter(const void **ret_filter)
{
	*ret_filter = filter;
	return sizeof(filter);
}
