/* From a pid to the directory of its cgroup v2. */
#define _GNU_SOURCE
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Copies one field of mountinfo, where space, tab, newline and backslash are written \ooo (proc(5)). */
static bool unescape(const char *start, size_t length, char *into, size_t size)
{
	size_t out = 0;

	for (size_t at = 0; at < length; at++) {
		char c = start[at];

		if (c == '\\') {
			int value = 0;

			for (int digit = 1; digit <= 3; digit++) {
				if (at + 3 >= length || start[at + digit] < '0' || start[at + digit] > '7')
					return false;
				value = value * 8 + (start[at + digit] - '0');
			}
			c = (char)value;
			at += 3;
		}
		if (out + 1 >= size)
			return false;
		into[out++] = c;
	}
	into[out] = '\0';
	return out > 0;
}

bool cgroup2_mount_of_line(const char *line, struct cgroup2_mount *mount)
{
	const char *type = strstr(line, " - ");
	const char *field = line;

	if (!type || strncmp(type + 3, "cgroup2 ", 8))
		return false;
	/* id, parent, device, root, mount point */
	for (int skipped = 0; skipped < 3; skipped++) {
		field = strchr(field, ' ');
		if (!field || field >= type)
			return false;
		field++;
	}
	size_t root = strcspn(field, " ");
	const char *point = field + root + 1;

	if (point >= type)
		return false;
	return unescape(field, root, mount->root, sizeof mount->root) &&
	       unescape(point, strcspn(point, " "), mount->point, sizeof mount->point);
}

const char *cgroup2_directory(const struct cgroup2_mount *mount, const char *path, char *directory, size_t size,
			      const char **message)
{
	size_t root = strcmp(mount->root, "/") ? strlen(mount->root) : 0;
	int length;

	if (!strcmp(path, "/")) {
		*message = "the process is in the root cgroup, which cannot be recorded";
		return "root-cgroup";
	}
	if (path[0] != '/' || !strncmp(path, "/..", 3) || strncmp(path, mount->root, root) ||
	    (path[root] != '/' && path[root] != '\0')) {
		*message = "the cgroup is outside the mounted hierarchy: the recorder needs the host's cgroup namespace";
		return "cgroup-outside-mount";
	}
	if (path[root] == '\0') {
		*message = "the process is in the root of the mounted cgroup hierarchy, which cannot be recorded";
		return "root-cgroup";
	}
	length = snprintf(directory, size, "%s%s", mount->point, path + root);
	if (length < 0 || (size_t)length >= size) {
		*message = "the cgroup's path is too long";
		return "no-cgroup";
	}
	return NULL;
}

bool find_cgroup2_mount(struct cgroup2_mount *mount)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	if (!file)
		return false;
	while (!found && getline(&line, &size, file) > 0)
		found = cgroup2_mount_of_line(line, mount);
	free(line);
	fclose(file);
	return found;
}

const char *read_cgroup2_path(int pid, char *path, size_t size, const char **message)
{
	char name[64];
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	const char *code = "no-cgroup";

	*message = "the process has no cgroup v2";
	snprintf(name, sizeof name, "/proc/%d/cgroup", pid);
	FILE *file = fopen(name, "re");
	if (!file) {
		*message = "there is no such process";
		return "no-process";
	}
	while ((length = getline(&line, &capacity, file)) > 0) {
		if (strncmp(line, "0::", 3))
			continue;
		if (line[length - 1] == '\n')
			line[--length] = '\0';
		if ((size_t)length - 3 < size) {
			memcpy(path, line + 3, (size_t)length - 2);
			code = NULL;
		}
		break;
	}
	free(line);
	fclose(file);
	return code;
}

bool each_cgroup(int directory, bool (*visit)(int directory, void *context), void *context)
{
	int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = own < 0 ? NULL : fdopendir(own);
	bool complete = stream && visit(directory, context);
	struct dirent *entry;

	if (!stream && own >= 0)
		close(own);
	while (complete && (errno = 0, entry = readdir(stream))) {
		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		int child = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (child < 0) {
			complete = errno == ENOENT; /* removed since */
			continue;
		}
		complete = each_cgroup(child, visit, context);
		close(child);
	}
	complete = complete && errno == 0;
	if (stream)
		closedir(stream);
	return complete;
}
