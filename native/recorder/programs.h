/* The loaded BPF object: attached as far as the recordings that are on need it. */
#ifndef PORIN_RECORDER_PROGRAMS_H
#define PORIN_RECORDER_PROGRAMS_H

#include <stdbool.h>

#include "layout.h"
#include "limits.h"

/* Loads the object and attaches it once to see that it can be. Returns NULL or an error code, with `*message`. */
const char *programs_load(const struct limits *limits, const char **message);
void programs_unload(void);

/* Attaches what recordings of this kind need, and nothing else. False when the kernel refuses to attach a program. */
bool programs_attach(enum recording_kind kind);

/* Runs that the kernel skipped since the object was loaded, of all programs of a kind. False when it does not tell. */
bool programs_misses(enum recording_kind kind, unsigned long long *misses);

/* Waits until no program runs any more that began before. */
void programs_settle(void);

/* The file descriptor of a map by its name in the BPF source. */
int programs_map(const char *name);

/* Which arguments of a native number's calls are told apart. */
const volatile struct aware_call *programs_aware(unsigned int number);

struct recording_state *programs_recording(unsigned int slot);
struct directory_entry *programs_directory(void);
bool programs_set_supervisor(unsigned int pid, unsigned int slot);
void programs_clear_supervisor(unsigned int pid);

/* Sums over the CPUs. */
bool programs_read_counts(unsigned int slot, struct call_counts *sum);
bool programs_zero_counts(unsigned int slot);

#endif
