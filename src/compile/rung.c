/*
 * Which rung of the ladder: namespaces with everything else, or, where this machine gives no user namespaces, Landlock and the
 * system call filter alone. Stepping down is said, and refused where the policy sets a floor; below the second rung there is nothing.
 */
#include "compile/stage.h"

#include <errno.h>

#define FIX_LANDLOCK "boot Linux 5.13 or later with landlock in the lsm= list of the kernel command line"

static const char *cause_of(const struct facts *facts)
{
	return facts->user_namespaces_why ? facts->user_namespaces_why : "the kernel refuses them";
}

static int refuse(struct compile *c, const char *why)
{
	int r = err_set(c->err, ERR_UNSUPPORTED, EOPNOTSUPP, "user namespaces are off (%s): %s", cause_of(c->facts),
	                facts_user_namespaces_fix(c->facts));

	err_at(c->err, why);
	return r;
}

static int step_down(struct compile *c)
{
	const struct facts *facts = c->facts;

	c->rung = COMPILE_RUNG_LANDLOCK;
	if (c->policy->require == POLICY_REQUIRE_NAMESPACES)
		return refuse(c, c->policy->require_why ? c->policy->require_why : WHY_DEFAULT);
	if (c->policy->strict)
		return refuse(c, "/strict");
	if (facts->landlock_abi == 0)
		return err_set(c->err, ERR_UNSUPPORTED, EOPNOTSUPP, "user namespaces are off (%s) and Landlock is off: %s; or %s",
		               cause_of(facts), facts_user_namespaces_fix(facts), FIX_LANDLOCK);
	return compile_weaken(c, WHY_DEFAULT, "user namespaces are off (%s), so Landlock and the system call filter stand alone: %s",
	                      cause_of(facts), "names, sizes and times of hidden files, and the host's processes, can be seen from inside");
}

int rung_choose(struct compile *c)
{
	int r;

	if (!c->facts->user_namespaces)
		return step_down(c);
	c->rung = COMPILE_RUNG_NAMESPACES;
	if (c->facts->landlock_abi == 0 && c->policy->require == POLICY_REQUIRE_LANDLOCK) {
		r = err_set(c->err, ERR_UNSUPPORTED, EOPNOTSUPP, "Landlock is off: %s", FIX_LANDLOCK);
		err_at(c->err, c->policy->require_why ? c->policy->require_why : WHY_DEFAULT);
		return r;
	}
	return 0;
}
