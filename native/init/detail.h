/* The strings and socket addresses that a blocked call points to. */
#ifndef PORIN_DETAIL_H
#define PORIN_DETAIL_H

#include <stdbool.h>
#include <sys/types.h>

#include "shapes.h"

/*
 * Fills scalars, detail and detail_length of a denial whose data is set, reading thread `tid`'s memory. The caller must
 * ask whether the notification is still valid afterwards: until then the memory may be another process's.
 */
void detail_read(struct denial *denial, pid_t tid, bool native);

#endif
