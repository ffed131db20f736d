/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A hash of what lies in the scratch. */

static __always_inline u64 mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

/* In one instruction: the compiler would load it byte by byte. */
static __always_inline u64 word_at(const char *bytes)
{
	u64 word;

	__asm__ volatile("%0 = *(u64 *)(%1 + 0)" : "=r"(word) : "r"(bytes) : "memory");
	return word;
}

static long hash_word(u32 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct hashing *hashing = &scratch->hashing;
	u32 left = hashing->end - hashing->at;
	u64 word = word_at(&scratch->bytes[hashing->at & SCRATCH_MASK]);

	if (left < 8)
		word &= (1ULL << (left & 7) * 8) - 1;
	hashing->hash = mix(hashing->hash, word);
	hashing->at += 8;
	return left <= 8;
}

static __always_inline u64 hash_bytes(struct scratch *scratch, u64 seed, u32 at, u32 end)
{
	scratch->hashing.hash = seed;
	scratch->hashing.at = at;
	scratch->hashing.end = end;
	bpf_loop(MAX_EVENT_BYTES / 8, hash_word, &scratch, 0);
	return mix(scratch->hashing.hash, end - at);
}
