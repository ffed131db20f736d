/* The recordings that are on: arm, look, stop, take away. */
#ifndef PORIN_RECORDER_RECORDINGS_H
#define PORIN_RECORDER_RECORDINGS_H

#include <stdbool.h>

#include "layout.h"
#include "line.h"

struct report {
	unsigned int slot;
	unsigned int others; /* processes beside porin-init when it was armed */
	bool empty;	     /* no process is left in the cgroup */
	unsigned long long misses;
	struct recording_state state;
	struct call_counts counts;
};

/* Each returns NULL or an error code, with `*message`. */
const char *recordings_arm(const struct command *command, unsigned int *others, const char **message);
const char *recordings_read(const char *id, struct report *report, const char **message);
/* No call counts for it any more; its report is the last one. It stays until it is disarmed. */
const char *recordings_stop(const char *id, struct report *report, const char **message);
const char *recordings_disarm(const char *id, const char **message);

#endif
