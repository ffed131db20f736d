/* The loaded BPF object: attached while at least one recording is on. */
#ifndef PORIN_RECORDER_PROGRAMS_H
#define PORIN_RECORDER_PROGRAMS_H

#include <stdbool.h>

#include "layout.h"

/* Loads the object and attaches it once to see that it can be. Returns NULL or an error code, with `*message`. */
const char *programs_load(const char **message);
void programs_unload(void);

/* False when the kernel refuses; then nothing is attached. */
bool programs_attach(void);
void programs_detach(void);

/* Runs that the kernel skipped since the object was loaded, all programs together. False when it does not tell. */
bool programs_misses(unsigned long long *misses);

struct recording_state *programs_recording(unsigned int slot);
struct directory_entry *programs_directory(void);
bool programs_set_supervisor(unsigned int pid, unsigned int slot);
void programs_clear_supervisor(unsigned int pid);

/* Sums over the CPUs. */
bool programs_read_counts(unsigned int slot, struct call_counts *sum);
bool programs_zero_counts(unsigned int slot);

#endif
