/* How much is kept; tests make it small to fill it. */
#ifndef PORIN_RECORDER_LIMITS_H
#define PORIN_RECORDER_LIMITS_H

#include <stdbool.h>

struct limits {
	unsigned int entries; /* uses of all recordings together */
	unsigned int uses;    /* of one recording */
	unsigned int file_entries;
	unsigned int file_uses;
	unsigned int ring_bytes; /* a power of two, and whole pages */
};

/* What production has. */
extern const struct limits DEFAULT_LIMITS;

/* Takes over what `text` names (`<name>=<number>` joined by commas). False when it is not of that form. */
bool parse_limits(const char *text, struct limits *limits);

#endif
