/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memory the BPF programs and the loader share. */
#ifndef PORIN_RECORDER_LAYOUT_H
#define PORIN_RECORDER_LAYOUT_H

#include "aware.h"

/* Recordings at one time. A power of two. */
#define MAX_RECORDINGS 256
/* Numbers counted one by one; every native number of x86_64 and aarch64 up to Linux 6.18 is below 480. */
#define MAX_NUMBERS 512
/* Places of the directory (a power of two), and how far an entry may lie behind the place its hash names. */
#define DIRECTORY_PLACES 2048
#define DIRECTORY_REACH 8

/* Distinct uses (number, values, errno) and refusals (number, errno) of one recording, and of all together. */
#define MAX_USES 4096
#define MAX_USE_ENTRIES 65536

#define CGROUP_NONE 0ULL
/* An entry that was taken away: a search goes on past it. */
#define CGROUP_REMOVED (~0ULL)

/* Open addressing: which recording a cgroup belongs to. `cgroup` is claimed by compare-and-swap, then `slot` is set. */
struct directory_entry {
	unsigned long long cgroup;
	unsigned int slot;
	unsigned int unused;
};

/* Each kind holds the ones before it. KIND_NONE: no recording. */
enum recording_kind { KIND_NONE, KIND_SYSCALLS, KIND_ARGUMENTS, KIND_FILES };

/* One recording. Written rarely: the loader arms it, processes' beginnings and ends and every hole change it. */
struct recording_state {
	unsigned int supervisor; /* thread group of porin-init, host PID namespace */
	unsigned int started;
	unsigned int kind;
	unsigned int uses; /* distinct ones so far */
	unsigned int file_uses;
	int tasks;	   /* alive, porin-init's own not counted */
	int peak_tasks;
	unsigned long long execs;
	unsigned long long foreign_processes;
	unsigned long long map_failures;
	unsigned long long overflows;
	unsigned long long ring_failures;
	unsigned long long unresolved;
} __attribute__((aligned(128)));

/*
 * Without padding, for all of it is hashed. `error` 0: calls that entered the kernel. `refused` 1: calls that did not, by
 * number and error only; they have no values.
 */
struct use_key {
	unsigned short slot;
	unsigned short number;
	unsigned short error;
	unsigned short refused;
	unsigned long long values[AWARE_ARGUMENTS_MAXIMUM];
};

/* One recording's calls on one CPU: the only memory that a system call writes. */
struct call_counts {
	unsigned long long supervisor;
	unsigned long long before_start;
	unsigned long long compat;
	unsigned long long x32;
	unsigned long long unknown;
	unsigned long long numbers[MAX_NUMBERS];
};

/* Fibonacci hashing: cgroup ids are small and consecutive. */
static inline __attribute__((always_inline)) unsigned int directory_place(unsigned long long cgroup, unsigned int step)
{
	return ((unsigned int)((cgroup * 0x9e3779b97f4a7c15ULL) >> 32) + step) & (DIRECTORY_PLACES - 1);
}

#endif
