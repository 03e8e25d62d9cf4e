/*
 * why.h: from a denial to the smallest change of the policy that would allow it.
 *
 * Pure. The advice is for people and agents who then decide; nothing in coffer acts on it. It is right for the denied call alone: what
 * the program would have tried next is not known.
 */
#ifndef COFFER_SESSION_WHY_H
#define COFFER_SESSION_WHY_H

#include "base/arena.h"
#include "plan/outcome.h"
#include "policy/policy.h"

/*
 * Fills denial->remedy and denial->settings, in the arena, for a resolved policy. Both stay NULL when no policy of coffer allows the
 * call (mount, kernel modules), when a rule that somebody wrote refuses it (denial->rule names it: there the decision was taken), or
 * when memory is out.
 */
void why_explain(const struct policy *policy, struct denial *denial, struct arena *arena);

/*
 * Does the policy want to hear nothing of it (ignoreViolations)? What is compared is the path where one was refused, else the line that srt has for
 * it: "deny network-outbound example.com:443 (host is not on the allow list)", "deny socket AF_PACKET". In srt's dialect the command is the line
 * that its shell is given, else the words with blanks between them. Out of memory nothing is ignored.
 */
bool why_ignores(const struct policy *policy, const char *const *argv, const struct denial *denial);

#endif
