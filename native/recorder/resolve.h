/* From the name that a process asked for to the path in its container's tree. */
#ifndef PORIN_RECORDER_RESOLVE_H
#define PORIN_RECORDER_RESOLVE_H

#include <stdbool.h>
#include <sys/types.h>

#include "name.h"
#include "path_set.h"

/* One recording's container. */
struct resolver {
	int root;
	int mount_namespace;	  /* held, so that the mounts outlive the container's last process */
	struct path_set seen;	  /* paths that were there and were no symlinks, and all above them */
	struct path_set symlinks; /* made by the payload */
	bool symlinks_moved;	  /* then nobody knows where they are */
};

/* False when the process is gone. */
bool resolver_open(struct resolver *resolver, int pid);
void resolver_close(struct resolver *resolver);

/*
 * Writes the path of what was asked for: that of its directory, as it is now or must have been, and the last name.
 * Returns its length, or -1 when that cannot be told. `was_there`: the call succeeded. The payload's names decide what is
 * opened here, so nothing is opened that could block, act or lead out of the container: O_PATH, no magic links.
 */
ssize_t resolve_name(struct resolver *resolver, const struct name_request *request, bool was_there,
		     char path[MAX_JOINED_BYTES]);

#endif
