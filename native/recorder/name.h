/* Names and paths as bytes: joined and taken apart, without looking at any file. */
#ifndef PORIN_RECORDER_NAME_H
#define PORIN_RECORDER_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Two paths and what lies between. */
#define MAX_JOINED_BYTES 8192

/* Bytes without NUL, not terminated. */
struct part {
	const char *bytes;
	size_t length;
};

/* What a process asked for, and from where. Paths are absolute in the container; that of its root is empty. */
struct name_request {
	struct part root; /* of the process */
	struct part base; /* from which relative names go */
	struct part text;
	bool follow; /* a symlink in the last component */
};

bool is_absolute(struct part text);
bool begins_with(struct part text, const char *start);

/* Appends what there is room for, and terminates. Returns the new length. */
size_t append(char path[MAX_JOINED_BYTES], size_t length, struct part part);
size_t append_name(char path[MAX_JOINED_BYTES], size_t length, struct part name);
/* Away goes the last name, but nothing of the first `least` bytes. */
size_t remove_name(char path[MAX_JOINED_BYTES], size_t length, size_t least);

/* The text as an absolute path, as it stands. */
size_t join_name(const struct name_request *request, char path[MAX_JOINED_BYTES]);

/* What is left of `path` below `root`, as a path that is absolute there. False where `path` lies outside. */
bool below(struct part root, struct part path, struct part *rest);

/* Takes the next name off the text; false at its end. Slashes and "." are passed over. */
bool next_name(struct part *text, struct part *name);

/* The directory's part of the text, which may be empty, and the last name: empty where it names a directory by "." or "..". */
struct part split_name(struct part text, struct part *name);

#endif
