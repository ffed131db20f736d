/* The strings and socket addresses that a blocked call points to. */
#pragma once

#include <sys/types.h>

#include "ledger.h"

/*
 * Fills scalars and pointed of a call whose data is set, reading thread `tid`'s memory. The bytes are that thread's
 * only if the notification is still valid afterwards: the thread may have died and its number be in use again.
 */
void detail_read(struct call *call, pid_t tid, bool native);
