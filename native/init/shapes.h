/* What makes two denials the same one, and the bounded list of distinct ones. */
#ifndef PORIN_SHAPES_H
#define PORIN_SHAPES_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base64.h"
#include "limits.h"

/* How to read a native call's arguments. Only for reports: nothing is decided by it. */
struct call_shape {
	uint32_t number;
	uint8_t scalars; /* bit i: argument i tells one use of the call from another (its low 32 bits) */
	uint8_t paths;   /* bit i: argument i points to a path */
	uint8_t address; /* bit i: argument i points to a socket address, i + 1 is its length */
};

/* Zeros, but for the number, where nothing is known about the call. */
struct call_shape call_shape(uint32_t number);

/* At most two strings, as " path:1:<base64>". */
#define MAX_DETAIL (2 * (BASE64_LENGTH(MAX_STRING_READ) + 32))

struct denial {
	struct seccomp_data data;
	uint32_t verdict; /* in the answer program's words */
	uint8_t scalars;
	size_t detail_length;
	char detail[MAX_DETAIL];
};

struct ledger {
	size_t length;
	uint64_t dropped; /* denied calls whose shape found no room */
	uint64_t counts[MAX_SHAPES];
	struct denial shapes[MAX_SHAPES];
};

enum ledger_result { LEDGER_NEW, LEDGER_KNOWN, LEDGER_DROPPED };

/* Counts one denied call. NEW: it is the last entry, and the first of its shape. */
enum ledger_result ledger_add(struct ledger *ledger, const struct denial *denial);

#endif
