/* What makes two denials the same one, and the bounded list of distinct ones. */
#pragma once

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"

enum pointed_kind { POINTED_PATH, POINTED_CUT, POINTED_ADDRESS, POINTED_UNREADABLE };

/* What an argument points to. CUT: the first MAX_POINTED bytes of a longer path. */
struct pointed {
	uint8_t kind, argument;
	uint16_t length;
	char bytes[MAX_POINTED];
};

/* The protocol's word for it. */
const char *pointed_word(const struct pointed *pointed);

/* One call that was notified, and the answer. */
struct call {
	struct seccomp_data data;
	uint32_t verdict; /* in the answer program's words */
	uint8_t scalars;  /* as in its shape */
	uint8_t pointed_count;
	struct pointed pointed[MAX_POINTED_TO];
};

/* Number, architecture, verdict, six words, and what is pointed to. */
#define MAX_KEY (9 * sizeof(uint32_t) + MAX_POINTED_TO * sizeof(struct pointed))
#define LEDGER_SLOTS (2 * MAX_DENIALS)

struct ledger {
	size_t length;
	size_t shapes;	     /* of them, within MAX_SHAPES and MAX_REPORT; the others are the first of their calls */
	size_t report_bytes; /* of the lines that report those shapes, at most */
	size_t other_calls;  /* beyond, of those that have no place in `firsts` */
	uint64_t dropped;    /* denied calls that are in no entry */
	uint16_t last_dropped; /* the first entry of the call that was dropped last, and 1; 0: there is none */
	bool unsent;	     /* a count, or `dropped`, has grown since it was last given out */
	uint16_t firsts[NATIVE_NUMBERS]; /* the first entry of each native call, and 1; 0: there is none */
	uint16_t foreign_firsts[FOREIGN_KINDS]; /* the same of each foreign ABI */
	uint64_t counts[MAX_DENIALS], sent[MAX_DENIALS];
	uint16_t slots[LEDGER_SLOTS]; /* hash table: the shape's index and 1; 0 is free */
	uint32_t hashes[MAX_DENIALS];
	uint16_t key_lengths[MAX_DENIALS];
	char keys[MAX_DENIALS][MAX_KEY];
};

enum ledger_result { LEDGER_NEW, LEDGER_KNOWN, LEDGER_DROPPED };

/*
 * Counts one denied call. NEW: it is the last entry, and the first of its shape. The first denial
 * of each native call always gets an entry: no flood of one call hides another.
 */
enum ledger_result ledger_add(struct ledger *ledger, const struct call *call);
