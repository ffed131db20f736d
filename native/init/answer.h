/* Classic-BPF programs from the policy: checking them, and running the one that answers notifications. */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"

struct program {
	size_t length;
	struct sock_filter instructions[MAX_INSTRUCTIONS];
};

/* Loaded into the kernel: returns SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF or SECCOMP_RET_ERRNO | 1..4095. */
bool filter_valid(const struct program *program);

/* Run here: returns SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | 1..4095 or SECCOMP_RET_KILL_PROCESS. */
bool answer_valid(const struct program *program);

/* The program's value for one call. Only for a program that answer_valid accepted: it is known to end. */
uint32_t answer_run(const struct program *program, const struct seccomp_data *data);
