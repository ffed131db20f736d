/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the BPF programs tell the loader about files and sockets. */
#ifndef PORIN_RECORDER_FILES_LAYOUT_H
#define PORIN_RECORDER_FILES_LAYOUT_H

/* Distinct uses of files and sockets of one recording, and of all together. */
#define MAX_FILE_USES 32768
#define MAX_FILE_USE_ENTRIES 131072
/* The ring buffer; a power of two and whole pages. Only a use that is new passes through it. */
#define FILE_RING_BYTES (4 << 20)
/* As PATH_MAX, for every part of an event. */
#define MAX_PATH_BYTES 4096
#define MAX_ADDRESS_BYTES 128

/* One bit each, so that one call's accesses to one path make one use. The order is that of the protocol's words. */
enum file_access {
	ACCESS_READ = 1 << 0,
	ACCESS_WRITE = 1 << 1,
	ACCESS_TRUNCATE = 1 << 2,
	ACCESS_LIST = 1 << 3,
	ACCESS_EXECUTE = 1 << 4,
	ACCESS_CREATE = 1 << 5,
	ACCESS_REMOVE = 1 << 6,
	ACCESS_RENAME_FROM = 1 << 7,
	ACCESS_RENAME_TO = 1 << 8,
	ACCESS_LINK = 1 << 9,
	ACCESS_CONNECT = 1 << 10,
	ACCESS_BIND = 1 << 11,
	ACCESS_SEND = 1 << 12,
};
#define SOCKET_ACCESSES (ACCESS_CONNECT | ACCESS_BIND | ACCESS_SEND)

enum file_event_flags {
	/* `text` is what the process asked for, below `base` unless absolute; otherwise `base` is the path itself, or `text` if it has no place. */
	EVENT_TEXT = 1 << 0,
	/* The call follows a symlink in the last component. */
	EVENT_FOLLOW = 1 << 1,
	/* The process' own rules bent the resolution (openat2), so that it cannot be repeated. */
	EVENT_OPAQUE = 1 << 2,
	/* `text` is a sockaddr. */
	EVENT_ADDRESS = 1 << 3,
	/* What was created is a symlink. */
	EVENT_SYMLINK = 1 << 4,
};

/* Without padding, for all of it is hashed. */
struct file_use_key {
	unsigned long long hash;
	unsigned short slot;
	unsigned short access;
	unsigned short error;
	unsigned short flags;
};

/* A use that is new. Followed by the bytes of root, base and text. Absolute paths below the mount namespace's root. */
struct file_event {
	struct file_use_key key;
	unsigned short root_length; /* of the process, unless it is the namespace's own: then empty */
	unsigned short base_length;
	unsigned short text_length;
	unsigned short unused;
};

#endif
