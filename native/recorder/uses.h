/* The uses and refusals of calls that the kernel has deduplicated: read out and taken away. */
#ifndef PORIN_RECORDER_USES_H
#define PORIN_RECORDER_USES_H

#include <stdbool.h>

/* Writes the recording's `use` and `refused` lines. False when the kernel does not give all of them. */
bool uses_write(const char *id, unsigned int slot);

/* Makes room for other recordings, and the slot's next one clean. Call it when no program runs for the recording. */
void uses_remove(unsigned int slot);

#endif
