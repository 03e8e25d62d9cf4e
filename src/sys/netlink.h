/*
 * netlink.h: network interfaces (rtnetlink).
 */
#ifndef COFFER_SYS_NETLINK_H
#define COFFER_SYS_NETLINK_H

/* Brings the loopback interface of the calling process's network namespace up; the kernel gives it 127.0.0.1 and ::1 then. */
int netlink_loopback_up(void);

#endif
