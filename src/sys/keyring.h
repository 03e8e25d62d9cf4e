/*
 * keyring.h: kernel keyrings, which no namespace separates from the caller's.
 */
#ifndef COFFER_SYS_KEYRING_H
#define COFFER_SYS_KEYRING_H

/* Starts an empty session keyring in place of the caller's. 0 as well on a kernel without keyrings. */
int keyring_leave(void);

#endif
