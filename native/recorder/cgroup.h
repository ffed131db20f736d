/* From a pid to the directory of its cgroup v2. */
#ifndef PORIN_RECORDER_CGROUP_H
#define PORIN_RECORDER_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_PATH 4096

struct cgroup2_mount {
	char root[MAX_PATH];  /* the part of the hierarchy that is mounted: "/" but in a cgroup namespace */
	char point[MAX_PATH]; /* where */
};

/* Parses one line of /proc/PID/mountinfo; false unless it is a cgroup2 mount that fits. Undoes its octal escapes. */
bool cgroup2_mount_of_line(const char *line, struct cgroup2_mount *mount);

/*
 * Joins the path of a `0::` line to the mount. Returns NULL, or the error code (root-cgroup, cgroup-outside-mount);
 * then `*message` says what is wrong.
 */
const char *cgroup2_directory(const struct cgroup2_mount *mount, const char *path, char *directory, size_t size,
			      const char **message);

/* The first cgroup2 mount of this process's mount namespace. */
bool find_cgroup2_mount(struct cgroup2_mount *mount);

/* The `0::` path of a process. Returns NULL or an error code (no-process, no-cgroup). */
const char *read_cgroup2_path(int pid, char *path, size_t size, const char **message);

/* Calls `visit` for the directory and all below it. False when a directory could not be read or `visit` said so. */
bool each_cgroup(int directory, bool (*visit)(int directory, void *context), void *context);

#endif
