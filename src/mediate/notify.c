#include "mediate/notify.h"

#include "base/path.h"
#include "plan/wire.h"
#include "sys/address.h"
#include "sys/call.h"
#include "sys/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void notify_init(struct notify *n)
{
	n->flags = plan_number(n->rules.init, 1);
	if (n->listener >= 0)
		seccomp_hurry(n->listener);
}

/* A flood of refusals must not keep init from anything else, nor fill the socket that its last word goes through. */
static bool take_token(struct notify *n)
{
	enum { A_SECOND = 200 };
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if ((uint64_t)now.tv_sec != n->second) {
		n->second = (uint64_t)now.tv_sec;
		n->tokens = A_SECOND;
	}
	if (!n->tokens)
		return false;
	n->tokens--;
	return true;
}

void notify_report(struct notify *n, const struct seccomp_notif *call, const struct refusal *refusal, const char *target)
{
	struct {
		struct wire wire;
		char text[WIRE_TEXT_MAX];
	} out;
	char name[16] = "";
	size_t name_len, len = target ? strlen(target) : 0;

	if (!(n->flags & PLAN_INIT_TELL) || !target)
		return;
	if (!take_token(n)) {
		n->dropped++;
		return;
	}
	caller_name(n->view, (pid_t)call->pid, name);
	name_len = strlen(name) + 1;
	if (name_len + len + 1 > sizeof(out.text))
		len = sizeof(out.text) - name_len - 1;
	out.wire = (struct wire){ .type = WIRE_DENIED, .a = (int32_t)call->pid, .b = refusal->errnum, .c = (uint32_t)call->data.nr };
	out.wire.d = refusal->rule;
	out.wire.e = refusal->extra;
	out.wire.text_len = (uint16_t)(name_len + len + 1);
	memcpy(out.text, name, name_len);
	memcpy(out.text + name_len, target, len);
	out.text[name_len + len] = '\0';
	if (send(n->socket, &out, sizeof(out.wire) + out.wire.text_len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		n->dropped++;
}

/* False: it is to be refused. */
static bool give_blank(struct notify *n, const struct seccomp_notif *call)
{
	int type = (int)call->data.args[1], fd = -ESOCKTNOSUPPORT;

	if (n->flags & PLAN_INIT_SOCKETS && call->data.nr == SYS_socket && (int)call->data.args[0] == AF_UNIX)
		fd = local_blank(type, (int)call->data.args[2]);
	if (fd >= 0)
		seccomp_answer_open(n->listener, call->id, fd, type & SOCK_CLOEXEC);
	return fd >= 0;
}

static void refuse(struct notify *n, const struct seccomp_notif *call)
{
	/* What tells one use of a call from another: a socket's family, an ioctl's request, clone's flags. */
	const struct refusal refusal = { .errnum = EPERM, .extra = (uint32_t)call->data.args[call->data.nr == SYS_ioctl ? 1 : 0] };

	if (give_blank(n, call))
		return;
	notify_report(n, call, &refusal, "");
	(void)seccomp_answer(n->listener, call->id, -EPERM);
}

static void tell_address(struct notify *n, const struct seccomp_notif *call, const struct call *c)
{
	struct refusal refusal = { .errnum = ENETUNREACH };
	uint64_t len = (uint32_t)call->data.args[c->flags];
	struct text target = { 0 };
	char address[128]; /* sockaddr_storage */
	uint16_t family;
	int r =
	    len < sizeof(family) || len > sizeof(address) ? -EINVAL : caller_read((pid_t)call->pid, call->data.args[c->path], address, len);

	if (r < 0 || !(n->namespaces & CLONE_NEWNET) || !address_add_remote(&target, address, len))
		return;
	memcpy(&family, address, sizeof(family));
	refusal.extra = family;
	notify_report(n, call, &refusal, target.bytes);
}

static void tell_signal(struct notify *n, const struct seccomp_notif *call, const struct call *c)
{
	struct refusal refusal = { .extra = (uint32_t)call->data.args[c->flags] };
	pid_t pid = c->path == CALL_NONE ? 0 : (pid_t)call->data.args[c->path];
	struct text target = { 0 };
	bool refused = pid > 0 && refusal.extra && kill(pid, 0) < 0;

	refusal.errnum = errno;
	if (!refused)
		return;
	text_number(&target, (unsigned)pid, 10);
	notify_report(n, call, &refusal, target.bytes);
}

/* A path in a call that will be let go on. */
struct judged {
	const struct seccomp_notif *call;
	const struct call *c;
	unsigned dir;
	bool writes, makes, follows;
	bool exists;
	struct stat st;
	char path[PATH_MAX];
};

static bool is_allowed(const struct judged *j, char region)
{
	return region == 'w' || (region == 'r' && !j->writes);
}

/* The path as its text and the directory before it have it. A link in it may lead elsewhere: that is not looked for. */
static bool spell_path(struct notify *n, struct judged *j, const char *text)
{
	size_t top = 0, len = strlen(text);

	if (text[0] != '/') {
		int dir = j->dir == CALL_NONE ? AT_FDCWD : (int)j->call->data.args[j->dir];

		if (caller_dir_path(n->view, (pid_t)j->call->pid, dir, j->path) < 0)
			return false;
		top = strlen(j->path);
		if (top + len + 1 >= sizeof(j->path))
			return false;
		j->path[top++] = '/';
	}
	memcpy(j->path + top, text, len + 1);
	return path_is_normal(j->path);
}

/* Where it leads. What cannot be found (on rung two /proc may be closed to init) is taken by its text. */
static bool find_path(struct notify *n, struct judged *j, const char *text)
{
	int start = j->dir == CALL_NONE ? AT_FDCWD : (int)j->call->data.args[j->dir];
	struct caller caller = CALLER(n->view, (pid_t)j->call->pid);
	struct place place;
	int r = caller_find(&caller, start, text, j->follows ? CALLER_FOLLOW : CALLER_NAME, &place);
	bool is_closed = r == -EACCES || r == -EPERM;

	if (r == 0 && !caller_sees_the_same(n->view, caller.thread))
		r = -EACCES;
	j->exists = r == 0 && place.target < 0 && place_look(&place);
	if (j->exists)
		j->st = place.found;
	if (r == 0)
		r = place.target < 0 ? place_path(n->view, &place, j->path) : -ENOENT;
	place_done(&place);
	return r == 0 || ((is_closed || text[0] == '/') && spell_path(n, j, text));
}

/* Most are, and most of these can be told by the text alone. */
static bool is_plainly_allowed(struct notify *n, struct judged *j, const char *text)
{
	uint32_t rule;

	return spell_path(n, j, text) && is_allowed(j, rules_region(&n->rules, j->path, &rule));
}

/* Would a read-only mount have refused this? */
static bool is_written(const struct judged *j)
{
	if (j->c->kind == CALL_OPEN)
		return j->exists ? S_ISREG(j->st.st_mode) : j->makes;
	return j->makes ? !j->exists : j->exists;
}

static void judge(struct notify *n, struct judged *j, const char *text)
{
	struct refusal refusal = { .errnum = EROFS };
	char region;

	if (j->c->kind == CALL_METADATA && n->flags & PLAN_INIT_RUNG2)
		return; /* Landlock lets it pass */
	if (is_plainly_allowed(n, j, text) || !find_path(n, j, text))
		return;
	region = rules_region(&n->rules, j->path, &refusal.rule);
	if (is_allowed(j, region) || (j->exists && j->st.st_dev == n->view->proc_dev) || (region == 'r' && !is_written(j)))
		return;
	if (region == 'h')
		refusal.errnum = j->exists ? EACCES : ENOENT;
	if (j->c->kind == CALL_OPEN && j->makes && !j->exists)
		refusal.extra = O_CREAT; /* the file would have been made: what is to be allowed is its directory */
	notify_report(n, j->call, &refusal, j->path);
}

static uint64_t open_flags(const struct seccomp_notif *call, const struct call *c)
{
	return c->flags == CALL_NONE ? O_CREAT | O_WRONLY | O_TRUNC : call->data.args[c->flags];
}

/* LINK and RENAME make their second name; RENAME also takes the first away. */
static void tell_paths(struct notify *n, const struct seccomp_notif *call, const struct call *c)
{
	static struct judged first, second;
	static char text[2][PATH_MAX];
	bool both = c->kind == CALL_LINK || c->kind == CALL_RENAME;
	int r = caller_read_text((pid_t)call->pid, call->data.args[c->path], text[0], PATH_MAX), r2 = -ENOENT;

	if (both)
		r2 = caller_read_text((pid_t)call->pid, call->data.args[c->path2], text[1], PATH_MAX);
	first = (struct judged){ .call = call, .c = c, .dir = c->dir, .writes = true };
	first.makes = c->kind < CALL_RENAME;
	if (c->kind == CALL_OPEN) {
		uint64_t flags = open_flags(call, c);

		first.writes = flags & CALL_OPEN_WRITES;
		first.makes = flags & O_CREAT;
		first.follows = !(flags & O_NOFOLLOW);
	}
	if (r > 0 && c->kind != CALL_LINK)
		judge(n, &first, text[0]);
	second = (struct judged){ .call = call, .c = c, .dir = c->dir2, .writes = true, .makes = true };
	if (r2 > 0)
		judge(n, &second, text[1]);
}

/* What it is in the caller's memory now. Whatever it is when the call goes on, no socket in there lets itself be connected to a local one. */
static bool is_local(const struct seccomp_notif *call, const struct call *c)
{
	uint16_t family;

	return caller_read((pid_t)call->pid, call->data.args[c->path], &family, sizeof(family)) == 0 && family == AF_UNIX;
}

static bool is_acted(const struct notify *n, const struct seccomp_notif *call, const struct call *c)
{
	if (n->flags & PLAN_INIT_SOCKETS && (c->kind == CALL_BIND || c->kind == CALL_CONNECT))
		return c->kind == CALL_BIND || is_local(call, c);
	if (!(n->flags & (PLAN_INIT_ACT | PLAN_INIT_ACT_OPENS)) || c->kind > CALL_BIND)
		return false;
	return c->kind != CALL_OPEN || n->flags & PLAN_INIT_ACT_OPENS || open_flags(call, c) & CALL_OPEN_WRITES;
}

static void note_umask(struct notify *n, const struct seccomp_notif *call, const struct call *c)
{
	if ((call->data.args[c->flags] & 0777) != n->view->umask)
		n->view->umask_varies = true;
}

/* Told while its maker still waits: afterwards it may be gone, and its name and directories with it. What is said here decides nothing. */
static void tell(struct notify *n, const struct seccomp_notif *call, const struct call *c)
{
	if (!(n->flags & PLAN_INIT_TELL))
		return;
	if (c->kind == CALL_ADDRESS || c->kind == CALL_CONNECT)
		tell_address(n, call, c);
	else if (c->kind == CALL_SIGNAL)
		tell_signal(n, call, c);
	else if (c->kind != CALL_BIND)
		tell_paths(n, call, c);
}

bool notify_answer(struct notify *n)
{
	struct seccomp_notif call;
	int r = seccomp_receive(n->listener, &call);
	const struct call *c = call_find(call.data.nr);

	if (r < 0) /* ENOENT: the caller has died meanwhile */
		return r == -ENOENT || r == -EINTR || r == -EAGAIN;
	if (!c) {
		refuse(n, &call);
	} else if (is_acted(n, &call, c)) {
		notify_act(n, &call);
	} else {
		if (c->kind == CALL_UMASK)
			note_umask(n, &call, c);
		else
			tell(n, &call, c);
		(void)seccomp_continue(n->listener, call.id);
	}
	return true;
}
