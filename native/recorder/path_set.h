/* A bounded set of path hashes. A path that did not fit counts as not seen. */
#ifndef PORIN_RECORDER_PATH_SET_H
#define PORIN_RECORDER_PATH_SET_H

#include <stdbool.h>
#include <stddef.h>

struct path_set {
	unsigned long long *hashes; /* open addressing; 0 is free */
	size_t places;		    /* a power of two, or 0 */
	size_t count;
};

void path_set_add(struct path_set *set, const char *path, size_t length);
/* Also every path above it. */
void path_set_add_all(struct path_set *set, const char *path, size_t length);
bool path_set_has(const struct path_set *set, const char *path, size_t length);
void path_set_clear(struct path_set *set);

#endif
