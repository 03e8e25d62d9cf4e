/*
 * ns.h: namespaces, and the ids that a user namespace maps. User namespaces are Linux 3.8; clone3 is 5.3.
 */
#ifndef COFFER_SYS_NS_H
#define COFFER_SYS_NS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * fork, with new namespaces (CLONE_NEW… flags) for the child. Returns its pid, 0 in the child, or a negative errno. For a process
 * without threads. -EPERM or -ENOSPC where user namespaces are switched off; CLONE_NEWTIME needs clone3 (-EINVAL before 5.5).
 */
pid_t ns_fork(uint64_t namespaces);

/* One user and one group. The outer ids are those of the namespace above. */
struct ns_map {
	uint32_t uid_inside, uid_outside, gid_inside, gid_outside;
};

/* Maps the calling process's own user and group in the user namespace that it is the first in. setgroups is refused from then on. */
int ns_map_self(const struct ns_map *map);

/*
 * Makes a user namespace that nobody lives in, for mount_tree_idmap. Needs CAP_SETUID and CAP_SETGID. Returns a descriptor of it. A short-lived
 * child is made and waited for; it shares the caller's memory and does nothing but wait.
 */
int ns_user_open(const struct ns_map *map);

#endif
