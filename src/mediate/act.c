/*
 * Theory of operation. Names that do not exist yet cannot be protected by a mount, nor can what nobody has looked for that deep. So the calls that
 * make, change and take away names come to init, which makes them itself, unless a pattern says no. Since all of them come here, and one after the other, nothing moves between the look and the deed:
 * a directory that was found to be no protected one does not become one, for that would be a rename. What the caller changes in its memory after it
 * has been read changes nothing, for the call is never made from there.
 */
#include "mediate/notify.h"

#include "sys/address.h"
#include "sys/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>

struct act {
	struct notify *n;
	const struct seccomp_notif *call;
	struct deed deed;
	char path[PATH_MAX], other[PATH_MAX];
	const char *named; /* the one of the two that the rule is about; NULL: not told */
};

/* What it is now is worth a look only where it matters: few names are protected. */
static uint32_t forbid_name(struct act *act)
{
	struct place *place = &act->deed.place;
	uint32_t rule = rules_name(&act->n->rules, act->path, false);

	return rule && place_look(place) ? rules_name(&act->n->rules, act->path, S_ISDIR(place->found.st_mode)) : rule;
}

/* What is not there is not changed, whatever its name: the call says so itself. */
static uint32_t forbid_change(struct act *act)
{
	uint32_t rule = forbid_name(act);

	return rule && place_look(&act->deed.place) ? rule : 0;
}

/* A cover may be opened; but the host takes it off by a rename, so what is looked at is what will be opened. What is to be made is none. */
static uint32_t forbid_read(struct act *act)
{
	uint32_t rule = rules_read(&act->n->rules, act->path);

	return rule && !(act->deed.flags & O_CREAT) && place_hold(&act->deed.place, act->n->cover) ? 0 : rule;
}

static uint32_t forbid_open(struct act *act)
{
	struct deed *deed = &act->deed;
	uint32_t rule = 0;

	if (!act->path[0]) /* a pipe, a socket */
		return 0;
	if (deed->flags & O_CREAT && !(deed->flags & O_PATH))
		rule = forbid_name(act);
	else if (deed->flags & CALL_OPEN_WRITES && !(deed->flags & O_PATH))
		rule = forbid_change(act);
	return rule ? rule : forbid_read(act);
}

static uint32_t forbid_carry(struct act *act, const struct stat *st, const char *from, const char *to)
{
	if (S_ISDIR(st->st_mode))
		return rules_carry(&act->n->rules, from, to);
	return S_ISLNK(st->st_mode) ? rules_carry(&act->n->rules, NULL, to) : 0;
}

/* The first path gets what the second had. */
static uint32_t forbid_exchange(struct act *act)
{
	const struct place *other = &act->deed.other;
	uint32_t rule = rules_name(&act->n->rules, act->path, false);
	struct stat st;

	if (rule || fstatat(other->dir, other->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return rule;
	return forbid_carry(act, &st, act->other, act->path);
}

static uint32_t forbid_rename(struct act *act)
{
	const struct rules *rules = &act->n->rules;
	uint32_t rule = forbid_change(act);

	if (!rule)
		rule = rules_read(rules, act->path);
	if (!rule && act->deed.flags & RENAME_EXCHANGE)
		rule = forbid_exchange(act);
	if (rule)
		return rule;
	act->named = act->other;
	rule = rules_name(rules, act->other, false);
	if (rule || !place_look(&act->deed.place))
		return rule;
	return forbid_carry(act, &act->deed.place.found, act->path, act->other);
}

static uint32_t forbid_link(struct act *act)
{
	uint32_t rule = rules_read(&act->n->rules, act->path);

	if (!rule && act->path[0])
		rule = forbid_change(act); /* by its other name it could be written */
	if (rule)
		return rule;
	act->named = act->other;
	return rules_name(&act->n->rules, act->other, false);
}

static uint32_t forbid_symlink(struct act *act)
{
	uint32_t rule = rules_name(&act->n->rules, act->path, false);

	return rule ? rule : rules_carry(&act->n->rules, NULL, act->path);
}

/* The pattern that says no, 0: none. */
static uint32_t forbid(struct act *act)
{
	switch (act->deed.call->kind) {
	case CALL_OPEN:
		return forbid_open(act);
	case CALL_MKDIR:
		return rules_name(&act->n->rules, act->path, true);
	case CALL_REMOVE:
	case CALL_RMDIR:
	case CALL_TRUNCATE:
		return act->path[0] ? forbid_change(act) : 0;
	case CALL_BIND:
		return act->deed.text[0] ? rules_name(&act->n->rules, act->path, false) : 0;
	case CALL_SYMLINK:
		return forbid_symlink(act);
	case CALL_LINK:
		return forbid_link(act);
	case CALL_RENAME:
		return forbid_rename(act);
	default:
		return rules_name(&act->n->rules, act->path, false);
	}
}

/*
 * A socket that was made inside, or one that somebody listed. What is made in a place of the sandbox's own can be nothing else; elsewhere it is known by
 * its inode, and by the process behind it, where that can be told.
 */
static bool may_connect(struct act *act, struct refusal *refusal)
{
	struct deed *deed = &act->deed;
	const struct notify *n = act->n;
	uint32_t rule;

	if (!deed->text[0]) {
		address_spell_abstract(&deed->address, act->path);
		return n->flags & PLAN_INIT_ABSTRACT;
	}
	if (!place_look(&deed->place) || !S_ISSOCK(deed->place.found.st_mode) || rules_private(&n->rules, act->path) ||
	    rules_socket(&n->rules, act->path))
		return true;
	/* Where the sandbox writes, most of what it did not make is what a run before left: nobody listens. */
	refusal->errnum = rules_region(&n->rules, act->path, &rule) == 'w' ? ECONNREFUSED : EACCES;
	deed->stays_inside = n->namespaces && local_set_has(n->made, &deed->place.found);
	return deed->stays_inside || local_set_has(n->listed, &deed->place.found) || local_set_has(n->made, &deed->place.found);
}

static bool is_refused(struct act *act, struct refusal *refusal)
{
	if (act->deed.call->kind == CALL_CONNECT)
		return !may_connect(act, refusal);
	refusal->rule = forbid(act);
	if (refusal->rule && act->deed.call->kind == CALL_OPEN && !(act->deed.flags & O_CREAT) && !place_look(&act->deed.place)) {
		refusal->errnum = ENOENT;
		act->named = NULL; /* nothing is kept from anybody */
	}
	if (act->n->flags & PLAN_INIT_SOCKETS && !rules_private(&act->n->rules, act->path))
		act->deed.known = act->n->made;
	return refusal->rule;
}

static int find_paths(struct act *act)
{
	const bool nowhere = act->deed.call->kind >= CALL_BIND && !act->deed.text[0];
	int r = nowhere ? 0 : place_path(act->n->view, &act->deed.place, act->path);

	act->named = act->path;
	if (r == 0 && act->deed.other.dir >= 0)
		r = place_path(act->n->view, &act->deed.other, act->other);
	return r == -EXDEV ? -EACCES : r;
}

/* Refused by a mount or by Landlock rather than by the owner's mode: the region says so. */
static void report_region(struct act *act, int r)
{
	struct refusal refusal = { .errnum = -r };

	if (!act->path[0] || (r != -EROFS && r != -EACCES && r != -EPERM && r != -EBUSY))
		return;
	if (act->deed.call->kind == CALL_OPEN && act->deed.flags & O_CREAT && !place_look(&act->deed.place))
		refusal.extra = O_CREAT; /* as in notify.c */
	if (rules_region(&act->n->rules, act->path, &refusal.rule) != 'w')
		notify_report(act->n, act->call, &refusal, act->path);
	else if (act->other[0] && rules_region(&act->n->rules, act->other, &refusal.rule) != 'w')
		notify_report(act->n, act->call, &refusal, act->other);
}

void notify_act(struct notify *n, const struct seccomp_notif *call)
{
	static struct act act;
	struct refusal refusal = { .errnum = EACCES };
	bool refused, waits;
	int r;

	act.n = n;
	act.call = call;
	act.path[0] = act.other[0] = '\0';
	r = deputy_prepare(n->view, call, &act.deed);
	if (r == 0)
		r = find_paths(&act);
	refused = r == 0 && is_refused(&act, &refusal);
	if (refused)
		r = -refusal.errnum;
	/* What was read was the caller's if it still waits; if it does not, nobody wants the deed. */
	if (r == 0 && !seccomp_is_waiting(n->listener, call->id)) {
		deputy_done(&act.deed);
		return;
	}
	waits = r == 0 && deputy_would_wait(&act.deed);
	if (r == 0 && !waits)
		r = deputy_perform(&act.deed);
	if (waits || act.deed.patient) {
		r = aside_perform(&n->aside, call->id, &act.deed);
		if (r == 0) {
			deputy_done(&act.deed);
			return;
		}
	}
	deputy_answer(n->listener, call->id, &act.deed, r);
	if (refused)
		notify_report(n, call, &refusal, act.named);
	else if (r < 0 && act.deed.call->kind != CALL_CONNECT)
		report_region(&act, r);
	deputy_done(&act.deed);
}
