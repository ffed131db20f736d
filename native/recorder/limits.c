/* How much is kept; tests make it small to fill it. */
#include "limits.h"

#include <stddef.h>
#include <string.h>

#include "files_layout.h"
#include "layout.h"

#define GREATEST 16777216U

const struct limits DEFAULT_LIMITS = {
	.entries = MAX_USE_ENTRIES,
	.uses = MAX_USES,
	.file_entries = MAX_FILE_USE_ENTRIES,
	.file_uses = MAX_FILE_USES,
	.ring_bytes = FILE_RING_BYTES,
};

static const struct {
	const char *name;
	size_t offset;
} NAMES[] = {
	{ "entries", offsetof(struct limits, entries) },
	{ "uses", offsetof(struct limits, uses) },
	{ "file-entries", offsetof(struct limits, file_entries) },
	{ "file-uses", offsetof(struct limits, file_uses) },
	{ "ring-bytes", offsetof(struct limits, ring_bytes) },
};

static unsigned int *limit_of(const char *name, size_t length, struct limits *limits)
{
	for (size_t at = 0; at < sizeof NAMES / sizeof NAMES[0]; at++) {
		if (strlen(NAMES[at].name) == length && !memcmp(NAMES[at].name, name, length))
			return (unsigned int *)((char *)limits + NAMES[at].offset);
	}
	return NULL;
}

bool parse_limits(const char *text, struct limits *limits)
{
	for (;;) {
		size_t length = strcspn(text, "=");
		unsigned int *limit = limit_of(text, length, limits);
		unsigned int value = 0;

		if (!limit || text[length] != '=')
			return false;
		for (text += length + 1; *text >= '0' && *text <= '9'; text++) {
			value = value * 10 + (unsigned int)(*text - '0');
			if (value > GREATEST)
				return false;
		}
		if (value == 0)
			return false;
		*limit = value;
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
}
