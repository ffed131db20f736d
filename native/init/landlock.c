/* Landlock by system call numbers: neither libc nor every linux/landlock.h knows all of it. */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same on every architecture. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };

#define CREATE_RULESET_VERSION (1U << 0)
#define RULE_PATH_BENEATH 1
#define SCOPES 3 /* abstract Unix sockets, signals */
#define SCOPES_ABI 6

/* LANDLOCK_ACCESS_FS_*, linux/landlock.h. */
enum {
	EXECUTE = 1 << 0, WRITE_FILE = 1 << 1, READ_FILE = 1 << 2, READ_DIR = 1 << 3,
	REMOVE_DIR = 1 << 4, REMOVE_FILE = 1 << 5, MAKE_DIR = 1 << 7, MAKE_REG = 1 << 8,
	MAKE_SOCK = 1 << 9, MAKE_FIFO = 1 << 10, MAKE_SYM = 1 << 12,
	REFER = 1 << 13, /* ABI 2 */
	TRUNCATE = 1 << 14, /* ABI 3 */
	IOCTL_DEV = 1 << 15, /* ABI 5 */
};
/* What a rule on something other than a directory may have. */
#define OF_A_FILE (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

/* Of the policy's rights, in the order of POLICY_RIGHTS. Device files are never made: no right has MAKE_CHAR, MAKE_BLOCK. */
static const uint64_t granted[] = {
	READ_FILE | READ_DIR,
	WRITE_FILE | TRUNCATE | IOCTL_DEV,
	MAKE_REG | MAKE_DIR | MAKE_SYM | MAKE_FIFO | MAKE_SOCK | REMOVE_FILE | REMOVE_DIR | REFER,
	EXECUTE,
	READ_DIR,
};

/* All that each ABI knows, MAKE_CHAR and MAKE_BLOCK too; the last holds for every later one. */
static const uint64_t handled[] = { 0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff };

/* struct landlock_ruleset_attr; a kernel takes the members that it does not know as long as they are zero. */
struct ruleset {
	uint64_t handled_fs, handled_net, scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

long landlock_abi(void)
{
	long abi = syscall(CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : abi;
}

const char *landlock_status(const struct policy *policy, long abi)
{
	return !policy->landlock || abi == 0 ? "none" : abi < SCOPES_ABI ? "partially" : "fully";
}

static uint64_t rights_of(const struct policy_path *path, bool directory)
{
	uint64_t rights = 0;

	for (size_t i = 0; i < sizeof(granted) / sizeof(granted[0]); i++)
		if (path->rights & 1U << i)
			rights |= granted[i];
	return directory ? rights : rights & OF_A_FILE;
}

static int add_path(int ruleset, const struct policy_path *path, uint64_t known)
{
	struct path_beneath rule = { .parent = open(path->path, O_PATH | O_CLOEXEC) };
	struct stat status;
	int error = 0;

	/* A path that the payload could not reach needs no rule. */
	if (rule.parent < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP ? 0 : errno;
	if (fstat(rule.parent, &status) < 0)
		error = errno;
	else
		rule.allowed = rights_of(path, S_ISDIR(status.st_mode)) & known;
	if (rule.allowed != 0 && syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
		error = errno;
	close(rule.parent);
	return error;
}

int landlock_confine(const struct policy *policy)
{
	long abi = landlock_abi();
	struct ruleset attributes = { .handled_fs = handled[abi < 5 ? abi : 5] };
	int ruleset, error = 0;

	if (!policy->landlock || abi == 0)
		return 0;
	if (abi >= SCOPES_ABI)
		attributes.scoped = SCOPES;
	ruleset = (int)syscall(CREATE_RULESET, &attributes, sizeof(attributes), 0);
	if (ruleset < 0)
		return errno;
	for (size_t i = 0; i < policy->path_count && error == 0; i++)
		error = add_path(ruleset, &policy->paths[i], attributes.handled_fs);
	if (error == 0 && syscall(RESTRICT_SELF, ruleset, 0) < 0)
		error = errno;
	close(ruleset);
	return error;
}
