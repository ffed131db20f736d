/* Programs and calls of another ABI of the machine than its 64-bit one: i386, x32, 32-bit Arm. */
#pragma once

#include <linux/limits.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A program of another ABI, and the protocol's word for the ABI. */
struct foreign_program {
	const char *abi; /* NULL: there is none */
	char path[PATH_MAX];
};

struct foreign_calls {
	uint64_t compat; /* of 32-bit architectures */
	uint64_t x32;
};

/* Which of the FOREIGN_KINDS a call is of; FOREIGN_NONE also for a number that no ABI has. */
enum { FOREIGN_NONE = -1, FOREIGN_COMPAT, FOREIGN_X32 };
int foreign_kind(const struct seccomp_data *data);

/* Whether a call is none of the machine's 64-bit ABI, numbers that no table has included. */
bool foreign_call(const struct seccomp_data *data);
void foreign_count(struct foreign_calls *calls, const struct seccomp_data *data);

/* The ABI of the ELF file at `path`; NULL where it is 64-bit, no ELF file, or unreadable. No heap. */
const char *foreign_abi(const char *path);

/* Finds the program that a thread runs, if it is of another ABI: a 64-bit one that makes a 32-bit call is not. */
void foreign_find(struct foreign_program *program, pid_t tid);
