/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The BPF programs, one header for each concern. A program that only a kind of recording needs is named after it. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "layout.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#include "recorded.bpf.h"
#include "arguments.bpf.h"
#include "calls.bpf.h"
#include "refusals.bpf.h"
#include "certificate.bpf.h"
#include "files.bpf.h"
