/* The recordings that are on: arm, look, take away. */
#ifndef PORIN_RECORDER_RECORDINGS_H
#define PORIN_RECORDER_RECORDINGS_H

#include <stdbool.h>

#include "layout.h"
#include "line.h"

struct report {
	unsigned int others; /* processes beside porin-init when it was armed */
	bool empty;	     /* no process is left in the cgroup */
	bool misses_known;
	unsigned long long misses;
	struct recording_state state;
	struct call_counts counts;
};

/* Each returns NULL or an error code, with `*message`. */
const char *recordings_arm(const char *id, int pid, unsigned int *others, const char **message);
const char *recordings_read(const char *id, struct report *report, const char **message);
const char *recordings_disarm(const char *id, const char **message);

#endif
