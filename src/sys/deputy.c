#include "sys/deputy.h"

#include "base/own.h"
#include "sys/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

/* As the kernel has them: some C libraries think that LARGEFILE is nothing. */
enum { LARGEFILE = 0100000, TMPFILE = 020000000 | O_DIRECTORY };
#define OPEN_FLAGS                                                                                                                       \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | LARGEFILE | \
	 O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | TMPFILE)
#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)

static uint64_t argument(const struct seccomp_notif *call, unsigned number)
{
	return number == CALL_NONE ? 0 : call->data.args[number];
}

/* Whatever exists would be in its way. */
static bool is_new(const struct deed *deed)
{
	const uint64_t new = O_CREAT | O_EXCL;

	return deed->call->kind == CALL_OPEN && (deed->flags & new) == new;
}

/* Is there a mode that the umask is taken off? */
static bool makes(const struct deed *deed)
{
	if (deed->call->kind == CALL_OPEN)
		return !(deed->flags & O_PATH) && (deed->flags & O_CREAT || (deed->flags & TMPFILE) == TMPFILE);
	return deed->call->kind == CALL_MKDIR || deed->call->kind == CALL_MKNOD || deed->call->kind == CALL_BIND;
}

static int read_path(const struct seccomp_notif *call, unsigned number, char path[PATH_MAX])
{
	int n = caller_read_text((pid_t)call->pid, argument(call, number), path, PATH_MAX);

	return n < 0 ? n : 0;
}

/* linkat with AT_EMPTY_PATH: the descriptor's own thing. */
static int find_descriptor(struct deed *deed, int fd)
{
	deed->place.target = caller_open_fd(deed->caller.view, deed->caller.thread, fd);
	return deed->place.target < 0 ? deed->place.target : 0;
}

/* Is a link in the first path's last place followed? */
static enum caller_end end_of(const struct deed *deed)
{
	if (deed->call->kind == CALL_OPEN)
		return deed->flags & O_NOFOLLOW || is_new(deed) ? CALLER_SLASH : CALLER_FOLLOW;
	if (deed->call->kind == CALL_LINK)
		return deed->flags & AT_SYMLINK_FOLLOW ? CALLER_FOLLOW : CALLER_SLASH;
	return deed->call->kind == CALL_TRUNCATE || deed->call->kind == CALL_CONNECT ? CALLER_FOLLOW : CALLER_NAME;
}

static int find(struct deed *deed, const struct seccomp_notif *call, unsigned dir, unsigned path, struct place *ret_place)
{
	int start = dir == CALL_NONE ? AT_FDCWD : (int)argument(call, dir), r;
	char text[PATH_MAX];

	r = read_path(call, path, text);
	if (r < 0)
		return r;
	if (deed->call->kind == CALL_LINK && ret_place == &deed->place && !text[0] && deed->flags & AT_EMPTY_PATH)
		return find_descriptor(deed, start);
	return caller_find(&deed->caller, start, text, ret_place == &deed->place ? end_of(deed) : CALLER_NAME, ret_place);
}

/* Only a local socket's address may have a path in it. */
static int find_address(struct deed *deed, const struct seccomp_notif *call)
{
	struct sockaddr_un *local = (struct sockaddr_un *)&deed->address;
	const size_t head = offsetof(struct sockaddr_un, sun_path);
	int r;

	deed->text[0] = '\0';
	memset(&deed->address, 0, sizeof(deed->address));
	if (deed->flags > sizeof(deed->address))
		return -EINVAL;
	r = deed->flags ? caller_read((pid_t)call->pid, argument(call, deed->call->path), &deed->address, deed->flags) : 0;
	if (r < 0 || deed->flags <= head || deed->flags > sizeof(*local) || local->sun_family != AF_UNIX)
		return r;
	memcpy(deed->text, local->sun_path, deed->flags - head);
	deed->text[deed->flags - head] = '\0';
	return deed->text[0] ? caller_find(&deed->caller, AT_FDCWD, deed->text, end_of(deed), &deed->place) : 0;
}

/* What is judged is what is connected: an inode, whatever becomes of its name. */
static int find_peer(struct deed *deed, const struct seccomp_notif *call)
{
	const struct sockaddr_un *local = (const struct sockaddr_un *)&deed->address;
	struct place *place = &deed->place;
	int r = find_address(deed, call);

	if (r == 0 && (deed->flags <= offsetof(struct sockaddr_un, sun_path) || deed->flags > sizeof(*local)))
		r = -EINVAL;
	if (r < 0 || !deed->text[0] || place->target >= 0)
		return r;
	place->target = openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return place->target < 0 ? -errno : 0;
}

static int find_both(struct deed *deed, const struct seccomp_notif *call)
{
	const struct call *c = deed->call;
	int r;

	if (c->kind == CALL_BIND)
		return find_address(deed, call);
	if (c->kind == CALL_CONNECT)
		return find_peer(deed, call);
	r = find(deed, call, c->dir, c->path, &deed->place);

	if (r < 0)
		return r;
	if (c->kind == CALL_LINK || c->kind == CALL_RENAME)
		r = find(deed, call, c->dir2, c->path2, &deed->other);
	else if (c->kind == CALL_SYMLINK)
		r = read_path(call, c->path2, deed->text);
	return r;
}

static int check_arguments(const struct deed *deed)
{
	uint64_t known = UINT64_MAX;

	if (deed->call->kind == CALL_RENAME)
		known = RENAME_NOREPLACE | RENAME_EXCHANGE;
	if (deed->call->kind == CALL_LINK)
		known = AT_SYMLINK_FOLLOW | AT_EMPTY_PATH;
	if (deed->call->kind == CALL_REMOVE)
		known = AT_REMOVEDIR;
	if (deed->call->kind == CALL_TRUNCATE)
		known = INT64_MAX;
	if (deed->call->kind == CALL_MKNOD && (S_ISCHR(deed->mode) || S_ISBLK(deed->mode)))
		return -EPERM;
	return deed->flags & ~known ? -EINVAL : 0;
}

/* creat and rmdir have their flags in their names. */
static uint64_t read_flags(const struct call *call, const struct seccomp_notif *notif)
{
	if (call->kind == CALL_OPEN && call->flags == CALL_NONE)
		return O_CREAT | O_WRONLY | O_TRUNC;
	if (call->kind == CALL_RMDIR)
		return AT_REMOVEDIR;
	return call->kind == CALL_TRUNCATE ? argument(notif, call->flags) : (uint32_t)argument(notif, call->flags);
}

int deputy_prepare(const struct caller_view *view, const struct seccomp_notif *call, struct deed *ret_deed)
{
	struct deed *deed = ret_deed;
	int r;

	deed->call = call_find(call->data.nr);
	deed->caller = CALLER(view, (pid_t)call->pid);
	place_init(&deed->place);
	place_init(&deed->other);
	deed->known = NULL;
	deed->stays_inside = deed->patient = deed->replaces = false;
	if (!deed->call || deed->call->kind > CALL_CONNECT)
		return -ENOSYS;
	deed->flags = read_flags(deed->call, call);
	deed->cloexec = deed->call->kind == CALL_OPEN && deed->flags & O_CLOEXEC;
	deed->mode = (uint32_t)argument(call, deed->call->kind >= CALL_BIND ? deed->call->dir : deed->call->mode);
	r = check_arguments(deed);
	if (r == 0)
		r = find_both(deed, call);
	deed->umask = view->umask;
	if (r == 0 && makes(deed))
		r = caller_umask(&deed->caller, &deed->umask);
	return r;
}

static bool finds(struct deed *deed, mode_t type)
{
	return place_look(&deed->place) && (deed->place.found.st_mode & S_IFMT) == type;
}

bool deputy_would_wait(struct deed *deed)
{
	if (deed->call->kind != CALL_OPEN || deed->flags & (O_NONBLOCK | O_PATH) || is_new(deed) || (deed->flags & O_ACCMODE) == O_RDWR)
		return false;
	return finds(deed, S_IFIFO);
}

/* /dev/tty is a different thing to each process: the one that it stands for is opened instead. */
static int open_terminal(struct deed *deed)
{
	const struct caller_view *view = deed->caller.view;
	struct text path = { 0 };
	unsigned number;
	int r = caller_terminal(&deed->caller, &number), fd;

	if (r < 0)
		return r;
	text_add(&path, "dev/pts/");
	text_number(&path, number, 10);
	fd = openat(view->root, path.bytes, (int)(deed->flags & (O_ACCMODE | O_NONBLOCK)) | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int perform_open(struct deed *deed)
{
	const uint64_t flags = deed->flags & (deed->flags & O_PATH ? PATH_FLAGS : OPEN_FLAGS);
	const struct open_how how = {
		.flags = flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY | LARGEFILE),
		.mode = makes(deed) ? deed->mode & 07777 : 0,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	long fd;

	if (!(flags & O_PATH) && !is_new(deed) && finds(deed, S_IFCHR) && deed->place.found.st_rdev == makedev(5, 0))
		return open_terminal(deed);
	if (deed->place.target >= 0)
		return place_reopen(deed->caller.view, &deed->place, (int)(how.flags & ~(uint64_t)(O_CREAT | O_EXCL | O_NOFOLLOW)));
	fd = syscall(SYS_openat2, deed->place.dir, deed->place.name, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

static int perform_link(const struct deed *deed)
{
	const struct place *from = &deed->place, *to = &deed->other;
	const struct text name = place_target_name(from);

	if (from->target >= 0)
		return linkat(deed->caller.view->proc, name.bytes, to->dir, to->name, AT_SYMLINK_FOLLOW);
	return linkat(from->dir, from->name, to->dir, to->name, 0);
}

/* A path that leads to what a descriptor of this process's is open on. */
static struct text path_of(const struct caller_view *view, int fd)
{
	struct text path = { 0 };

	text_add(&path, view->proc_path);
	text_add(&path, "/self/fd/");
	text_number(&path, (unsigned)fd, 10);
	return path;
}

/* As truncate itself, for an open would ask for more, and do more. */
static int perform_truncate(const struct deed *deed)
{
	const struct place *place = &deed->place;
	autofd int own = place->target < 0 ? openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (place->target < 0 && own < 0)
		return -1;
	return truncate(path_of(deed->caller.view, own < 0 ? place->target : own).bytes, (off_t)deed->flags);
}

/*
 * The name is bound in the directory that was found. Whoever asks for the socket's address gets that name, unless the path that was meant led
 * there without a link: then it is bound as it was given, and only a sandbox besides this one could make another place of it by then.
 */
static int name_socket(struct deed *deed, socklen_t *ret_len)
{
	struct sockaddr_un *local = (struct sockaddr_un *)&deed->address;
	const struct place *place = &deed->place;
	char path[PATH_MAX];
	int r;

	*ret_len = (socklen_t)deed->flags;
	if (!deed->text[0])
		return 0;
	r = place_path(deed->caller.view, place, path);
	if (r < 0 || strcmp(path, deed->text) == 0)
		return r;
	if (strlen(place->name) >= sizeof(local->sun_path))
		return -ENAMETOOLONG;
	memset(local->sun_path, 0, sizeof(local->sun_path));
	memcpy(local->sun_path, place->name, strlen(place->name));
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(place->name) + 1);
	return fchdir(place->dir) < 0 ? -errno : 0;
}

/* Most callers are their process's first thread, whose number is the process's; which process another belongs to costs more than the call. */
static int open_process(struct deed *deed)
{
	int handle = (int)syscall(SYS_pidfd_open, deed->caller.thread, 0), r;
	pid_t process;

	if (handle >= 0)
		return handle;
	r = caller_process(&deed->caller, &process);
	handle = r < 0 ? -1 : (int)syscall(SYS_pidfd_open, process, 0);
	return handle < 0 && r == 0 ? -errno : handle < 0 ? r : handle;
}

/* The caller's socket, and how it has its number. */
static int take_socket(struct deed *deed)
{
	const struct caller *caller = &deed->caller;
	autofd int handle = open_process(deed);
	int r = handle < 0 ? handle : caller_fd_cloexec(caller->view, caller->thread, (int)deed->mode, &deed->cloexec), fd;

	if (r < 0)
		return r;
	fd = handle < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, handle, deed->mode, 0);
	return fd < 0 ? -errno : fd;
}

static int follow_blank(int blank, int fd)
{
	int flags = fcntl(blank, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags & O_NONBLOCK) < 0 ? -errno : 0;
}

static int remember(const struct deed *deed)
{
	const struct place *place = &deed->place;
	int fd;

	if (!deed->known || !deed->text[0])
		return 0;
	fd = openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : local_set_add(deed->known, fd);
}

/* It listens as soon as it has a name: neither bound nor listening, it could be connected. */
static int start_successor(struct deed *deed, int blank, socklen_t len)
{
	int fd = local_successor(blank), r;

	if (fd < 0)
		return fd;
	r = bind(fd, (const struct sockaddr *)&deed->address, len) < 0 || listen(fd, 0) < 0 ? -errno : remember(deed);
	if (r == 0)
		r = follow_blank(blank, fd);
	deed->replaces = r == 0;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int perform_bind(struct deed *deed)
{
	socklen_t len;
	autofd int socket = take_socket(deed);
	int r = socket < 0 ? socket : name_socket(deed, &len);

	if (r < 0)
		return r;
	if (local_is_blank(socket))
		r = start_successor(deed, socket, len);
	else
		r = bind(socket, (const struct sockaddr *)&deed->address, len) < 0 ? -errno : 0;
	return fchdir(deed->caller.view->root) < 0 ? -errno : r;
}

/* As the kernel would have answered. */
static int refuse_connect(int socket)
{
	int value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &value, &len) < 0)
		return -errno;
	if (value != AF_UNIX)
		return -EAFNOSUPPORT;
	len = sizeof(value);
	return getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 && value ? -EINVAL : -EISCONN;
}

/* By way of the descriptor that was judged; a name that is in no directory as it is. */
static socklen_t address_peer(const struct deed *deed, struct sockaddr_un *ret_local)
{
	const struct text path = path_of(deed->caller.view, deed->place.target);

	memcpy(ret_local, &deed->address, sizeof(*ret_local));
	if (!deed->text[0])
		return (socklen_t)deed->flags;
	if (path.len >= sizeof(ret_local->sun_path))
		return 0; /* an empty address: EINVAL */
	memcpy(ret_local->sun_path, path.bytes, path.len + 1);
	return sizeof(*ret_local);
}

static int connect_successor(struct deed *deed, int blank, int fd)
{
	struct sockaddr_un local;
	socklen_t len = address_peer(deed, &local);
	int flags = fcntl(blank, F_GETFL);

	if (flags < 0 || (deed->patient && fcntl(fd, F_SETFL, 0) < 0))
		return -errno;
	if (connect(fd, (const struct sockaddr *)&local, len) < 0) {
		deed->patient = errno == EAGAIN && !(flags & O_NONBLOCK);
		return -errno;
	}
	if (deed->stays_inside && !local_peer_is_visible(fd))
		return -ECONNREFUSED;
	return follow_blank(blank, fd);
}

static int perform_connect(struct deed *deed)
{
	autofd int blank = take_socket(deed);
	int fd, r;

	if (blank < 0)
		return blank;
	if (!local_is_blank(blank))
		return refuse_connect(blank);
	fd = local_successor(blank);
	r = fd < 0 ? fd : connect_successor(deed, blank, fd);
	if (r < 0 && fd >= 0)
		close(fd);
	deed->replaces = r == 0;
	return r < 0 ? r : fd;
}

static int perform(struct deed *deed)
{
	const struct place *place = &deed->place, *other = &deed->other;
	int r;

	switch (deed->call->kind) {
	case CALL_OPEN:
		return perform_open(deed);
	case CALL_MKDIR:
		r = mkdirat(place->dir, place->name, deed->mode & 07777);
		break;
	case CALL_MKNOD:
		r = mknodat(place->dir, place->name, deed->mode & (S_IFMT | 07777), 0);
		break;
	case CALL_SYMLINK:
		r = symlinkat(deed->text, place->dir, place->name);
		break;
	case CALL_LINK:
		r = perform_link(deed);
		break;
	case CALL_RENAME:
		r = (int)syscall(SYS_renameat2, place->dir, place->name, other->dir, other->name, (unsigned)deed->flags);
		break;
	case CALL_REMOVE:
	case CALL_RMDIR:
		r = unlinkat(place->dir, place->name, (int)deed->flags);
		break;
	case CALL_TRUNCATE:
		r = perform_truncate(deed);
		break;
	case CALL_BIND:
		return perform_bind(deed);
	case CALL_CONNECT:
		return perform_connect(deed);
	default:
		return -ENOSYS;
	}
	return r < 0 ? -errno : 0;
}

/* The umask is not taken off the mode here: a directory's default ACL replaces it. */
int deputy_perform(struct deed *deed)
{
	const unsigned own = deed->caller.view->umask;
	int r;

	if (deed->umask != own)
		(void)umask(deed->umask);
	r = perform(deed);
	if (deed->umask != own)
		(void)umask(own);
	return r;
}

void deputy_answer(int listener, uint64_t id, const struct deed *deed, int result)
{
	if (result >= 0 && deed->call->kind == CALL_OPEN)
		seccomp_answer_open(listener, id, result, deed->cloexec);
	else if (result >= 0 && deed->replaces)
		seccomp_answer_replace(listener, id, result, (int)deed->mode, deed->cloexec);
	else
		(void)seccomp_answer(listener, id, result);
}

void deputy_done(struct deed *deed)
{
	place_done(&deed->place);
	place_done(&deed->other);
}
