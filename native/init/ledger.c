/* The ledger of distinct denials: a hash table over what tells one from another. */
#include "ledger.h"

#include <string.h>

#include "base64.h"
#include "foreign.h"

/* A report's line without what is pointed to, and a word of it without its base64: the longest that there are. */
#define LINE_BYTES 176
#define WORD_BYTES 16

_Static_assert(LINE_BYTES + MAX_POINTED_TO * (WORD_BYTES + BASE64_LENGTH(MAX_POINTED)) <= MAX_DENIAL_LINE,
	       "control.h counts on it");

const char *pointed_word(const struct pointed *pointed)
{
	static const char *const words[] = { "path", "cut", "address", "unreadable" };

	return words[pointed->kind];
}

static size_t make_key(char *key, size_t *report_size, const struct call *call)
{
	uint32_t words[9] = { (uint32_t)call->data.nr, call->data.arch, call->verdict };
	size_t length = sizeof(words);

	for (int i = 0; i < 6; i++)
		words[3 + i] = call->scalars & 1 << i ? (uint32_t)call->data.args[i] : 0;
	memcpy(key, words, sizeof(words));
	*report_size = LINE_BYTES;
	for (size_t i = 0; i < call->pointed_count; i++) {
		size_t used = offsetof(struct pointed, bytes) + call->pointed[i].length;

		memcpy(key + length, &call->pointed[i], used);
		length += used;
		*report_size += WORD_BYTES + BASE64_LENGTH((size_t)call->pointed[i].length);
	}
	return length;
}

/* FNV-1a. */
static uint32_t hash_of(const char *key, size_t length)
{
	uint32_t hash = 2166136261;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)key[i]) * 16777619;
	return hash;
}

/* Where the first entry of a native call, or of a foreign ABI, is kept; NULL for a number that no table has. */
static uint16_t *first_of(struct ledger *ledger, const struct call *call)
{
	int abi = foreign_kind(&call->data);

	if (abi != FOREIGN_NONE)
		return &ledger->foreign_firsts[abi];
	return (uint32_t)call->data.nr < NATIVE_NUMBERS ? &ledger->firsts[call->data.nr] : NULL;
}

/* Takes the room for one more entry. A call that has no place in `firsts` has one shape, so each new shape is its first. */
static bool take_room(struct ledger *ledger, const uint16_t *first, size_t size)
{
	bool native = first >= ledger->firsts && first < ledger->firsts + NATIVE_NUMBERS;

	if (ledger->shapes < MAX_SHAPES && ledger->report_bytes + size <= MAX_REPORT) {
		ledger->shapes++;
		ledger->report_bytes += size;
		return true;
	}
	/* A flood of numbers that mean nothing hides no call that means something to another ABI. */
	if (first && *first == 0)
		return true;
	if (native || ledger->other_calls == MAX_OTHER_CALLS)
		return false;
	ledger->other_calls++;
	return true;
}

static enum ledger_result drop(struct ledger *ledger, const uint16_t *first)
{
	ledger->dropped++;
	ledger->last_dropped = first ? *first : 0;
	ledger->unsent = true;
	return LEDGER_DROPPED;
}

enum ledger_result ledger_add(struct ledger *ledger, const struct call *call)
{
	char key[MAX_KEY];
	size_t size, key_length = make_key(key, &size, call), at;
	uint32_t hash = hash_of(key, key_length);
	uint16_t *first = first_of(ledger, call);

	for (at = hash % LEDGER_SLOTS; ledger->slots[at] != 0; at = (at + 1) % LEDGER_SLOTS) {
		size_t i = ledger->slots[at] - 1U;

		if (ledger->hashes[i] != hash || ledger->key_lengths[i] != key_length ||
		    memcmp(ledger->keys[i], key, key_length) != 0)
			continue;
		ledger->counts[i]++;
		ledger->unsent = true;
		return LEDGER_KNOWN;
	}
	if (!take_room(ledger, first, size))
		return drop(ledger, first);
	ledger->counts[ledger->length] = ledger->sent[ledger->length] = 1;
	ledger->hashes[ledger->length] = hash;
	ledger->key_lengths[ledger->length] = (uint16_t)key_length;
	memcpy(ledger->keys[ledger->length], key, key_length);
	ledger->slots[at] = (uint16_t)++ledger->length;
	if (first && *first == 0)
		*first = (uint16_t)ledger->length;
	return LEDGER_NEW;
}
