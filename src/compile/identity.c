/*
 * Who the sandbox is: ids, namespaces, host name, terminal, capabilities.
 *
 * A caller who is not root keeps its ids, so that the files it makes are its own. Root never runs anything as itself: its
 * sandboxes are host users of their own (facts.sandbox_uid), called "sandbox" inside, and the trees that the policy names are
 * shown to them with changed owners (mounts.c). In a container root may not do the latter, and where it may not even be somebody else
 * nothing is run. In a user namespace uid 0 is whoever made that.
 */
#include "base/path.h"
#include "compile/stage.h"

#include <errno.h>
#include <linux/sched.h>

enum { SANDBOX_INSIDE_ID = 1000, SCRATCH_MODE = 0700 };

uint32_t identity_uid_inside(const struct compile *c)
{
	return c->facts->sandbox_uid ? SANDBOX_INSIDE_ID : c->facts->uid;
}

uint32_t identity_gid_inside(const struct compile *c)
{
	return c->facts->sandbox_uid ? SANDBOX_INSIDE_ID : c->facts->gid;
}

static uint64_t uid_outside(const struct compile *c)
{
	return c->facts->sandbox_uid ? c->facts->sandbox_uid : c->facts->uid;
}

static uint64_t gid_outside(const struct compile *c)
{
	return c->facts->sandbox_uid ? c->facts->sandbox_uid : c->facts->gid;
}

static uint64_t namespaces(const struct compile *c)
{
	uint64_t all = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

	if (c->rung == COMPILE_RUNG_LANDLOCK)
		return 0;
	return network_is_own(c) ? all | CLONE_NEWNET : all;
}

const char *identity_scratch(struct compile *c)
{
	return path_join(c->arena, c->inputs->scratch_top, c->inputs->run_id);
}

int identity_put_scratch(struct compile *c)
{
	const char *path;

	if (c->rung != COMPILE_RUNG_LANDLOCK)
		return 0;
	path = identity_scratch(c);
	if (!path)
		return compile_no_memory(c);
	plan_add(&c->plan, OP_SCRATCH_MAKE, WHY_DEFAULT, path, (uint64_t)SCRATCH_MODE, uid_outside(c), gid_outside(c));
	if (c->policy->limit[POLICY_LIMIT_TMP].value == NUM_UNLIMITED && c->policy->limit[POLICY_LIMIT_TMP_INODES].value == NUM_UNLIMITED)
		return 0;
	return compile_weaken(c, WHY_DEFAULT, "tmp: the private /tmp is a directory of the host here, so its size is not limited");
}

/* The workspace with its links resolved. */
int identity_choose_workspace(struct compile *c)
{
	const char *path = c->policy->workspace.path;
	const struct survey_entry *entry = survey_find(c->inputs->survey, path);
	const char *why = c->policy->workspace.why;
	int r;

	if (workspace_holds(c, entry ? entry->real : path)) {
		c->workspace = workspace_place(c, entry ? entry->real : path);
		return c->workspace ? 0 : compile_no_memory(c);
	}
	if (entry && entry->kind == SURVEY_DIR) {
		c->workspace = entry->real;
		return 0;
	}
	if (!entry)
		r = err_set(c->err, ERR_INTERNAL, EINVAL, "%s: the survey has not looked", path);
	else if (entry->kind == SURVEY_ABSENT)
		r = err_set(c->err, ERR_NOTFOUND, ENOENT, "%s: there is no such directory to work in", path);
	else
		r = err_set(c->err, ERR_DENIED, EACCES, "%s: cannot be worked in", path);
	if (why)
		err_at(c->err, why);
	return r;
}

/*
 * A working directory that a rule hides would be a failing chdir. In a skeleton it is an empty directory, which
 * will do; Landlock does not mind.
 */
int identity_check_workspace(struct compile *c)
{
	size_t at = region_find(&c->regions, c->workspace);
	const struct region *region = &c->regions.at[at];
	int r;

	if (region->access != ACCESS_HIDDEN || c->rung == COMPILE_RUNG_LANDLOCK || mounts_is_bare(c, at))
		return 0;
	r = err_set(c->err, ERR_POLICY, EACCES, "%s: the working directory is hidden", c->workspace);
	err_at(c->err, region->why);
	return r;
}

/* Is there anybody for root's sandbox to be? */
int identity_choose(struct compile *c)
{
	const struct facts *facts = c->facts;

	if (facts->uid != 0 || facts->sandbox_uid)
		return 0;
	if (facts->first_user_namespace)
		return err_set(
		    c->err, ERR_UNSUPPORTED, EPERM,
		    "this is root without the capabilities to be another user, and nothing is run as root: run coffer as an ordinary "
		    "user (docker run --user 1000:1000 …), or leave it CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_KILL, CAP_SETGID and "
		    "CAP_SETUID");
	if (facts->uid_above != 0)
		return 0;
	return compile_weaken(
	    c, WHY_DEFAULT,
	    "root outside of this user namespace is root inside, and so the sandbox's user: files that are root's count as "
	    "its own where they are shown; make the user namespace as another user");
}

/* A user of its own is a stranger to root's files, unless they can be shown as its own. */
static int note_strangeness(struct compile *c)
{
	if (!c->facts->sandbox_uid || (c->facts->root && c->facts->idmapped_mounts && c->rung == COMPILE_RUNG_NAMESPACES))
		return 0;
	return compile_weaken(c, WHY_DEFAULT,
	                      "no id-mapped mounts here: files that only root may read are not readable for root's sandbox, nor written");
}

/* The warden gives root up once all sources are open, right before the jail is born. */
int identity_put_spawn(struct compile *c)
{
	if (c->facts->sandbox_uid && c->rung == COMPILE_RUNG_NAMESPACES)
		plan_add(&c->plan, OP_WARDEN_USER, WHY_DEFAULT, uid_outside(c), gid_outside(c));
	plan_add(&c->plan, OP_SPAWN, network_why(c), namespaces(c));
	return note_strangeness(c);
}

int identity_put_ids(struct compile *c)
{
	uint64_t uid = identity_uid_inside(c), gid = identity_gid_inside(c);

	plan_add(&c->plan, OP_IDMAP, WHY_DEFAULT, uid, uid_outside(c), gid, gid_outside(c));
	plan_add(&c->plan, OP_BECOME, WHY_DEFAULT, uid, gid);
	return 0;
}

int identity_put_names(struct compile *c)
{
	const char *hostname = c->policy->process.hostname;

	network_put_wait(c);
	if (c->rung == COMPILE_RUNG_NAMESPACES)
		plan_add(&c->plan, OP_HOSTNAME, WHY_DEFAULT, hostname ? hostname : "sandbox");
	return 0;
}

int identity_put_terminal(struct compile *c)
{
	plan_add(&c->plan, OP_SESSION, WHY_DEFAULT);
	if (c->inputs->terminal && c->policy->process.allow_terminal)
		plan_add(&c->plan, OP_TERMINAL, WHY_DEFAULT, (uint64_t)c->inputs->terminal);
	return 0;
}

/* What is executed in a session is born without privileges: its process 1 has none. */
int identity_put_shed(struct compile *c)
{
	const struct policy *policy = c->policy;

	plan_add(&c->plan, OP_CHDIR, policy->workspace.why ? policy->workspace.why : WHY_DEFAULT, c->workspace);
	plan_add(&c->plan, OP_UMASK, WHY_DEFAULT, (uint64_t)policy->process.umask);
	if (c->inputs->kind == COMPILE_EXEC)
		return 0;
	if (c->facts->sandbox_uid && c->rung == COMPILE_RUNG_LANDLOCK)
		plan_add(&c->plan, OP_IDS, WHY_DEFAULT, uid_outside(c), gid_outside(c));
	plan_add(&c->plan, OP_CAPS_DROP, WHY_DEFAULT);
	return 0;
}
