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
#define LEDGER_SLOTS (2 * MAX_SHAPES)

struct ledger {
	size_t length;
	uint64_t dropped;    /* denied calls whose shape found no room */
	size_t report_bytes; /* of the lines that report the shapes, at most */
	bool unsent;	     /* a count has grown since ledger_take_unsent gave it out */
	uint64_t counts[MAX_SHAPES], sent[MAX_SHAPES];
	uint16_t slots[LEDGER_SLOTS]; /* hash table: the shape's index and 1; 0 is free */
	uint32_t hashes[MAX_SHAPES];
	uint16_t key_lengths[MAX_SHAPES];
	char keys[MAX_SHAPES][MAX_KEY];
};

enum ledger_result { LEDGER_NEW, LEDGER_KNOWN, LEDGER_DROPPED };

/* Counts one denied call. NEW: it is the last entry, and the first of its shape. */
enum ledger_result ledger_add(struct ledger *ledger, const struct call *call);
