/* The policy's files, held by Landlock (Documentation/userspace-api/landlock.rst). */
#pragma once

#include "policy.h"

/* The kernel's Landlock ABI; 0 where it has none. */
long landlock_abi(void);

/* What a policy's ruleset comes to on such a kernel: the protocol's word. */
const char *landlock_status(const struct policy *policy, long abi);

/* Confines the calling thread to the policy's paths, if it has any such rule. Returns 0 or an errno. No heap. */
int landlock_confine(const struct policy *policy);
