/* A bounded set of path hashes. A path that did not fit counts as not seen. */
#include "path_set.h"

#include <stdlib.h>
#include <sys/random.h>

#define FEWEST_PLACES 1024
#define MOST_PLACES (1 << 18)

static unsigned long long seed;

static unsigned long long first_hash(void)
{
	if (seed == 0 && getrandom(&seed, sizeof seed, 0) != sizeof seed)
		seed = (unsigned long long)(size_t)&seed;
	return seed | 1;
}

static unsigned long long next_hash(unsigned long long hash, char byte)
{
	hash = (hash ^ (unsigned char)byte) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

static unsigned long long *place_of(const struct path_set *set, unsigned long long hash)
{
	size_t at = hash & (set->places - 1);

	while (set->hashes[at] != 0 && set->hashes[at] != hash)
		at = (at + 1) & (set->places - 1);
	return &set->hashes[at];
}

static bool make_room(struct path_set *set)
{
	struct path_set larger = { .places = set->places == 0 ? FEWEST_PLACES : set->places * 2, .count = set->count };

	if (set->count < set->places / 2)
		return true;
	if (larger.places > MOST_PLACES)
		return false;
	larger.hashes = calloc(larger.places, sizeof *larger.hashes);
	if (!larger.hashes)
		return false;
	for (size_t at = 0; at < set->places; at++) {
		if (set->hashes[at] != 0)
			*place_of(&larger, set->hashes[at]) = set->hashes[at];
	}
	free(set->hashes);
	*set = larger;
	return true;
}

static void add_hash(struct path_set *set, unsigned long long hash)
{
	unsigned long long *place;

	if (!make_room(set))
		return;
	place = place_of(set, hash | 1);
	set->count += *place == 0;
	*place = hash | 1;
}

void path_set_add(struct path_set *set, const char *path, size_t length)
{
	unsigned long long hash = first_hash();

	for (size_t at = 0; at < length; at++)
		hash = next_hash(hash, path[at]);
	add_hash(set, hash);
}

void path_set_add_all(struct path_set *set, const char *path, size_t length)
{
	unsigned long long hash = first_hash();

	for (size_t at = 0; at < length; at++) {
		if (path[at] == '/' && at > 0)
			add_hash(set, hash);
		hash = next_hash(hash, path[at]);
	}
	add_hash(set, hash);
}

bool path_set_has(const struct path_set *set, const char *path, size_t length)
{
	unsigned long long hash = first_hash();

	if (set->places == 0)
		return false;
	for (size_t at = 0; at < length; at++)
		hash = next_hash(hash, path[at]);
	return *place_of(set, hash | 1) != 0;
}

void path_set_clear(struct path_set *set)
{
	free(set->hashes);
	*set = (struct path_set){ .hashes = NULL };
}
