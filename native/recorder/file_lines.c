/* `file` and `socket` lines (docs/recorder-protocol.md). */
#include "file_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "files_layout.h"
#include "name.h"

static const struct {
	unsigned int access;
	const char *word;
} WORDS[] = {
	{ ACCESS_READ, "read" },
	{ ACCESS_WRITE, "write" },
	{ ACCESS_TRUNCATE, "truncate" },
	{ ACCESS_LIST, "list" },
	{ ACCESS_EXECUTE, "execute" },
	{ ACCESS_CREATE, "create" },
	{ ACCESS_REMOVE, "remove" },
	{ ACCESS_RENAME_FROM, "rename-from" },
	{ ACCESS_RENAME_TO, "rename-to" },
	{ ACCESS_LINK, "link" },
	{ ACCESS_CONNECT, "connect" },
	{ ACCESS_BIND, "bind" },
	{ ACCESS_SEND, "send" },
};

static const char *word_of(unsigned int access)
{
	for (size_t at = 0; at < sizeof WORDS / sizeof WORDS[0]; at++) {
		if (WORDS[at].access == access)
			return WORDS[at].word;
	}
	return "-";
}

static int compare(const void *left, const void *right)
{
	const struct file_line *a = left, *b = right;
	size_t common = a->length < b->length ? a->length : b->length;
	int order = memcmp(a->bytes, b->bytes, common);

	if (order != 0 || a->length != b->length)
		return order != 0 ? order : a->length < b->length ? -1 : 1;
	if (a->access != b->access)
		return a->access < b->access ? -1 : 1;
	if (a->error != b->error)
		return a->error < b->error ? -1 : 1;
	return (int)a->resolved - (int)b->resolved;
}

static void write_line(const char *id, const struct file_line *line, unsigned long long count)
{
	static char text[BASE64_BYTES(MAX_JOINED_BYTES)];

	base64(line->bytes, line->length, text);
	if (line->access & SOCKET_ACCESSES)
		printf("socket %s %s %u %llu %s\n", id, word_of(line->access), line->error, count, text);
	else
		printf("file %s %s %u %d %llu %s\n", id, word_of(line->access), line->error, line->resolved, count, text);
}

void write_file_lines(const char *id, struct file_line *lines, size_t count)
{
	size_t next;

	if (count > 0)
		qsort(lines, count, sizeof *lines, compare);
	for (size_t at = 0; at < count; at = next) {
		unsigned long long sum = lines[at].count;

		for (next = at + 1; next < count && !compare(&lines[at], &lines[next]); next++)
			sum += lines[next].count;
		write_line(id, &lines[at], sum);
	}
}
