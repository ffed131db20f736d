/* `file` and `socket` lines (docs/recorder-protocol.md). */
#ifndef PORIN_RECORDER_FILE_LINES_H
#define PORIN_RECORDER_FILE_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct file_line {
	unsigned int access; /* one of enum file_access */
	unsigned int error;
	bool resolved;
	unsigned long long count;
	const char *bytes; /* the path, or the sockaddr */
	size_t length;
};

/* Sorts them, and writes those that differ in nothing but their count as one. */
void write_file_lines(const char *id, struct file_line *lines, size_t count);

#endif
