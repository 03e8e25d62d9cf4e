/*
 * check.h: policies that contradict themselves, or cannot be.
 *
 * Errors (in coffer's dialect; srt's accepts what srt accepts, so there the file rules are not judged):
 *   a limit of zero (but for swap, which may be none); memory below what a program needs to start; swap without a limit of memory
 *   allowRead or allowWrite that a deny of the same policy makes void
 *   allowWrite of "/", and of /proc, /sys and /dev, which every sandbox has its own of
 *   the workspace hidden by a rule
 *   filesystem.disabled
 *   rules for requests, or masked credentials, without TLS being opened for them; a credential for hosts that are out of reach or whose TLS
 *   stays closed; a variable that is set as well as masked; an authority whose key can be read inside (srt's too)
 * Warnings:
 *   allowWrite of home or a directory above it; protected places or credentials switched off
 *   the workspace is "/" or around home, so that it is not opened by itself
 */
#ifndef COFFER_POLICY_CHECK_H
#define COFFER_POLICY_CHECK_H

#include "policy/fault.h"
#include "policy/policy.h"

/* Adds what is wrong with a resolved policy to faults, which policy_faults_err turns into an error. 0 or -ENOMEM. */
int policy_check(const struct policy *policy, struct arena *arena, struct fault_vec *faults);

#endif
