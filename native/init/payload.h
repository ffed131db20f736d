/* The payload's process before it becomes the payload: limits, session, Landlock, filter, exec. */
#pragma once

#include <stdatomic.h>
#include <sys/resource.h>

#include "foreign.h"
#include "policy.h"

/* How far the child came. The names are the protocol's: payload_stage_name. */
enum payload_stage {
	STAGE_SESSION, STAGE_RLIMIT, STAGE_DIRECTORY, STAGE_STDIN, STAGE_LOOKUP, STAGE_LANDLOCK, STAGE_FILTER, STAGE_EXEC,
};

/* Memory that parent and child share: once the filter is loaded, the child cannot say anything by a call. */
struct payload_state {
	atomic_int stage;
	atomic_int error;    /* errno at that stage; 0 while none */
	atomic_int listener; /* -1 until the filter is loaded */
	struct foreign_program program; /* its path is what execve gets */
	/* Of the moment before the execve, for who reads it after the exec pipe's end: */
	int64_t started_us;
	struct rusage before; /* what the child has used itself, the loading of the filter above all */
};

const char *payload_stage_name(enum payload_stage stage);

/* Runs in a child that shares the parent's file table, and uses no heap. Does not return. */
_Noreturn void payload_run(const struct policy *policy, struct payload_state *state);
