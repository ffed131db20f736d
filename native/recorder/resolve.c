/* From the name that a process asked for to the path in its container's tree. */
#define _GNU_SOURCE
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What these name differs from process to process, so they are kept as they were asked for. */
static const char *const PRIVATE_PLACES[] = { "/proc/self/", "/proc/thread-self/", "/dev/fd/" };

bool resolver_open(struct resolver *resolver, int pid)
{
	char name[64];

	*resolver = (struct resolver){ .root = -1, .mount_namespace = -1 };
	snprintf(name, sizeof name, "/proc/%d/root", pid);
	resolver->root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(name, sizeof name, "/proc/%d/ns/mnt", pid);
	resolver->mount_namespace = open(name, O_RDONLY | O_CLOEXEC);
	if (resolver->root >= 0 && resolver->mount_namespace >= 0)
		return true;
	resolver_close(resolver);
	return false;
}

void resolver_close(struct resolver *resolver)
{
	if (resolver->root >= 0)
		close(resolver->root);
	if (resolver->mount_namespace >= 0)
		close(resolver->mount_namespace);
	path_set_clear(&resolver->seen);
	path_set_clear(&resolver->symlinks);
	resolver->root = resolver->mount_namespace = -1;
}

/* From the kernel's memory if it can be, which does not block; the payload's own call has just put it there. */
static int open_path(int root, const char *path, int flags, unsigned long long resolve)
{
	struct open_how how = {
		.flags = (unsigned long long)(O_PATH | O_CLOEXEC | flags),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED | resolve,
	};
	int file = (int)syscall(SYS_openat2, root, path, &how, sizeof how);

	if (file >= 0 || errno != EAGAIN)
		return file;
	how.resolve &= ~(unsigned long long)RESOLVE_CACHED;
	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* The kernel's path of an open file, which ends at the root of the file's mount namespace; the root's is empty. */
static ssize_t path_of_file(int file, char path[MAX_JOINED_BYTES])
{
	struct stat status;
	char name[64];
	ssize_t length;

	snprintf(name, sizeof name, "/proc/self/fd/%d", file);
	length = readlink(name, path, MAX_JOINED_BYTES - 1);
	/* Of what was removed meanwhile it says so in the path itself. */
	if (length <= 0 || path[0] != '/' || fstat(file, &status) || status.st_nlink == 0)
		return -1;
	length = length == 1 ? 0 : length;
	path[length] = '\0';
	return length;
}

/* Goes from the process' root or the base as the kernel did. */
static ssize_t path_of_name(const struct resolver *resolver, const struct name_request *request, struct part text,
			    int flags, char path[MAX_JOINED_BYTES])
{
	struct part base = { NULL, 0 };
	ssize_t length = -1;
	int root, file;

	if (!is_absolute(text) && !below(request->root, request->base, &base))
		return -1;
	append_name(path, 0, request->root);
	root = open_path(resolver->root, path, O_DIRECTORY, RESOLVE_NO_SYMLINKS);
	if (root < 0)
		return -1;
	append_name(path, append(path, 0, base), text);
	file = open_path(root, path, flags, 0);
	if (file >= 0) {
		length = path_of_file(file, path);
		close(file);
	}
	close(root);
	return length;
}

static bool is_symlink_now(const struct resolver *resolver, const char *path, bool *there)
{
	struct stat status;
	int file = open_path(resolver->root, path, O_NOFOLLOW, 0);

	*there = file >= 0 && !fstat(file, &status);
	if (file >= 0)
		close(file);
	return *there && S_ISLNK(status.st_mode);
}

static bool was_no_symlink(const struct resolver *resolver, const char *path, size_t length)
{
	bool there;

	if (resolver->symlinks_moved || path_set_has(&resolver->symlinks, path, length))
		return false;
	return path_set_has(&resolver->seen, path, length) || (!is_symlink_now(resolver, path, &there) && there);
}

/* Of what is gone by now: name by name, as long as each is known to have been no symlink. */
static ssize_t path_of_gone(const struct resolver *resolver, const struct name_request *request, struct part text,
			    char path[MAX_JOINED_BYTES])
{
	size_t length = append(path, 0, is_absolute(text) ? request->root : request->base);
	struct part name;

	while (next_name(&text, &name)) {
		if (name.length == 2 && begins_with(name, "..")) {
			length = remove_name(path, length, request->root.length);
			continue;
		}
		length = append_name(path, length, name);
		if (!was_no_symlink(resolver, path, length))
			return -1;
	}
	return (ssize_t)length;
}

static ssize_t path_of_directory(const struct resolver *resolver, const struct name_request *request,
				 struct part directory, bool was_there, char path[MAX_JOINED_BYTES])
{
	ssize_t length;

	/* A name alone: the kernel has told its directory. */
	if (directory.length == 0)
		return (ssize_t)append(path, 0, request->base);
	length = path_of_name(resolver, request, directory, O_DIRECTORY, path);
	return length < 0 && was_there ? path_of_gone(resolver, request, directory, path) : length;
}

/* The last name, which leads nowhere now, may be or have been a symlink. */
static bool may_lead_on(const struct resolver *resolver, const char *path, size_t length, bool was_there)
{
	bool there;

	return was_there ? !was_no_symlink(resolver, path, length) : is_symlink_now(resolver, path, &there);
}

ssize_t resolve_name(struct resolver *resolver, const struct name_request *request, bool was_there,
		     char path[MAX_JOINED_BYTES])
{
	struct part name;
	struct part directory = split_name(request->text, &name);
	ssize_t length = -1;

	for (size_t at = 0; at < sizeof PRIVATE_PLACES / sizeof PRIVATE_PLACES[0]; at++) {
		if (request->root.length == 0 && begins_with(request->text, PRIVATE_PLACES[at]))
			return (ssize_t)join_name(request, path);
	}
	if (request->follow || name.length == 0)
		length = path_of_name(resolver, request, request->text, 0, path);
	if (length >= 0 || name.length == 0)
		return length;
	length = path_of_directory(resolver, request, directory, was_there, path);
	if (length < 0)
		return -1;
	path_set_add_all(&resolver->seen, path, (size_t)length);
	length = (ssize_t)append_name(path, (size_t)length, name);
	return request->follow && may_lead_on(resolver, path, (size_t)length, was_there) ? -1 : length;
}
