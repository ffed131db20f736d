/* The policy as the worker sends it, line by line; docs/control-channel.md is its grammar. */
#pragma once

#include <sys/resource.h>

#include "answer.h"

struct policy_rlimit {
	int resource;
	struct rlimit limit;
};

/* Bit i of a path's rights is the letter i: read, write, create, execute. */
#define POLICY_RIGHTS "rwcxl"

struct policy_path {
	unsigned rights;
	const char *path;
};

struct policy {
	bool begun;
	const char *directory; /* NULL until given */
	const char *standard_input; /* NULL: that of the container */
	size_t argument_count;
	const char *arguments[MAX_STRINGS + 1]; /* NULL-terminated, as execve takes them */
	size_t environment_count;
	const char *environment[MAX_STRINGS + 1];
	size_t rlimit_count;
	struct policy_rlimit rlimits[MAX_RLIMITS];
	bool landlock; /* only what the paths say may be done to files */
	size_t path_count;
	struct policy_path paths[MAX_PATHS];
	uint64_t trace_maximum; /* bytes; 0: no trace */
	struct program filter;
	struct program answer;
	size_t strings_used;
	char strings[MAX_STRINGS_BYTES];
};

enum policy_step { POLICY_MORE, POLICY_COMPLETE, POLICY_INVALID };

/* Takes one line, without its newline, into a policy that began as all zeros. INVALID is final. */
enum policy_step policy_line(struct policy *policy, const char *line, size_t length);
