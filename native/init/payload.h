/* The payload's process before it becomes the payload: limits, session, Landlock, filter, exec. */
#pragma once

#include <limits.h>
#include <stdatomic.h>

#include "policy.h"

/* How far the child came. The names are the protocol's: payload_stage_name. */
enum payload_stage {
	STAGE_SESSION, STAGE_RLIMIT, STAGE_DIRECTORY, STAGE_LOOKUP, STAGE_LANDLOCK, STAGE_FILTER, STAGE_EXEC,
};

/* A page that parent and child share: the child cannot make calls of its own once the filter is loaded. */
struct payload_state {
	atomic_int stage;
	atomic_int error;    /* errno at that stage; 0 while none */
	atomic_int listener; /* -1 until the filter is loaded */
};

const char *payload_stage_name(enum payload_stage stage);

/* The path given to execve, at the same address in parent and child. */
extern char payload_executable[PATH_MAX];

/* Runs in a child that shares the parent's file table, and uses no heap. Does not return. */
_Noreturn void payload_run(const struct policy *policy, struct payload_state *state);
