/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which calls touch names and addresses, and in which arguments they say so. */
#include <asm/unistd.h>

enum file_call_kind {
	CALL_OTHER,
	CALL_OPEN,	 /* gives a descriptor of what it opened */
	CALL_OPEN_HANDLE,
	CALL_NAMES,	 /* is told names and gives nothing back */
	CALL_DESCRIPTOR, /* changes the file behind its first argument */
	CALL_CONNECT,
	CALL_BIND,
	CALL_SEND,
	CALL_SEND_MESSAGE,
	CALL_SEND_MESSAGES,
};

enum open_flags_place { OPEN_FLAGS_ARGUMENT, OPEN_FLAGS_CREAT, OPEN_FLAGS_STRUCTURE };
enum follow { FOLLOW_NEVER, FOLLOW_ALWAYS, FOLLOW_IF_ASKED, MAKES_SYMLINK };

#define NO_ARGUMENT 255
#define WORKING_DIRECTORY NO_ARGUMENT

struct name_argument {
	u16 access;
	u8 directory; /* the argument with the descriptor, or WORKING_DIRECTORY */
	u8 path;
	u8 follow;
};

struct file_call {
	u8 kind;
	u8 flags; /* CALL_OPEN: enum open_flags_place; they are the argument after the path */
	struct name_argument names[2];
};

#define OPENS(from, directory, path) { CALL_OPEN, from, { { 0, directory, path, FOLLOW_ALWAYS } } }
#define NAME(access, directory, path) { access, directory, path, FOLLOW_NEVER }
#define FOLLOWED(access, directory, path) { access, directory, path, FOLLOW_ALWAYS }
#define NAMES(...) { CALL_NAMES, 0, { __VA_ARGS__ } }

static const volatile struct file_call FILE_CALLS[MAX_NUMBERS] = {
	[__NR_openat] = OPENS(OPEN_FLAGS_ARGUMENT, 0, 1),
	[__NR_openat2] = OPENS(OPEN_FLAGS_STRUCTURE, 0, 1),
	[__NR_open_by_handle_at] = { CALL_OPEN_HANDLE, OPEN_FLAGS_ARGUMENT, { { 0, 0, 1, FOLLOW_NEVER } } },
	[__NR_mkdirat] = NAMES(NAME(ACCESS_CREATE, 0, 1)),
	[__NR_mknodat] = NAMES(NAME(ACCESS_CREATE, 0, 1)),
	[__NR_symlinkat] = NAMES({ ACCESS_CREATE, 1, 2, MAKES_SYMLINK }),
	[__NR_unlinkat] = NAMES(NAME(ACCESS_REMOVE, 0, 1)),
	[__NR_renameat2] = NAMES(NAME(ACCESS_RENAME_FROM, 0, 1), NAME(ACCESS_RENAME_TO, 2, 3)),
	[__NR_linkat] = NAMES({ ACCESS_LINK, 0, 1, FOLLOW_IF_ASKED }, NAME(ACCESS_CREATE, 2, 3)),
	[__NR_truncate] = NAMES(FOLLOWED(ACCESS_TRUNCATE, WORKING_DIRECTORY, 0)),
	[__NR_ftruncate] = { .kind = CALL_DESCRIPTOR },
	[__NR_execve] = NAMES(FOLLOWED(ACCESS_EXECUTE, WORKING_DIRECTORY, 0)),
	[__NR_execveat] = NAMES(FOLLOWED(ACCESS_EXECUTE, 0, 1)),
	[__NR_connect] = { .kind = CALL_CONNECT },
	[__NR_bind] = { .kind = CALL_BIND },
	[__NR_sendto] = { .kind = CALL_SEND },
	[__NR_sendmsg] = { .kind = CALL_SEND_MESSAGE },
	[__NR_sendmmsg] = { .kind = CALL_SEND_MESSAGES },
#ifdef __NR_renameat
	[__NR_renameat] = NAMES(NAME(ACCESS_RENAME_FROM, 0, 1), NAME(ACCESS_RENAME_TO, 2, 3)),
#endif
#ifdef __NR_open
	[__NR_open] = OPENS(OPEN_FLAGS_ARGUMENT, WORKING_DIRECTORY, 0),
	[__NR_creat] = OPENS(OPEN_FLAGS_CREAT, WORKING_DIRECTORY, 0),
	[__NR_mkdir] = NAMES(NAME(ACCESS_CREATE, WORKING_DIRECTORY, 0)),
	[__NR_mknod] = NAMES(NAME(ACCESS_CREATE, WORKING_DIRECTORY, 0)),
	[__NR_symlink] = NAMES({ ACCESS_CREATE, WORKING_DIRECTORY, 1, MAKES_SYMLINK }),
	[__NR_unlink] = NAMES(NAME(ACCESS_REMOVE, WORKING_DIRECTORY, 0)),
	[__NR_rmdir] = NAMES(NAME(ACCESS_REMOVE, WORKING_DIRECTORY, 0)),
	[__NR_rename] = NAMES(NAME(ACCESS_RENAME_FROM, WORKING_DIRECTORY, 0), NAME(ACCESS_RENAME_TO, WORKING_DIRECTORY, 1)),
	[__NR_link] = NAMES(NAME(ACCESS_LINK, WORKING_DIRECTORY, 0), NAME(ACCESS_CREATE, WORKING_DIRECTORY, 1)),
#endif
};
