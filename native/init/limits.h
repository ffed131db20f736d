/* The bounds of everything that comes from outside, so that all memory is static. */
#pragma once

#define PORIN_INIT_VERSION "0.1.0"
#define PORIN_PROTOCOL 5

/* One argument of MAX_ARG_STRLEN (128 KiB, linux/binfmts.h) in base64, with its keyword; a filter needs 44 KiB. */
#define MAX_LINE (176 * 1024)
/* All argument, environment and path strings of one policy, decoded. */
#define MAX_STRINGS_BYTES (2 * 1024 * 1024)
#define MAX_STRINGS 8192
#define MAX_PATHS 4096
#define MAX_RLIMITS 16
/* BPF_MAXINSNS, linux/bpf_common.h. */
#define MAX_INSTRUCTIONS 4096

/* Of a string or address that a call points to: no sockaddr is longer than half of it, a longer path is cut. */
#define MAX_POINTED 256
#define MAX_POINTED_TO 2
/* Distinct denials that are reported. */
#define MAX_SHAPES 256
/* Their lines together; with a count for each the report stays under 64 KiB. */
#define MAX_REPORT (56 * 1024)
/* Beyond both, the first denial of every call is reported: of each native number below this one (Linux 6.19 has 472) ... */
#define NATIVE_NUMBERS 512
/* ... and of so many numbers that are beyond it, or of another ABI. */
#define MAX_OTHER_CALLS 64
/* 32-bit ones, and x32. */
#define FOREIGN_KINDS 2
#define MAX_DENIALS (MAX_SHAPES + NATIVE_NUMBERS + FOREIGN_KINDS + MAX_OTHER_CALLS)
/* One line of the report: the longest that there is. */
#define MAX_DENIAL_LINE 896
/* Text of the trace in one message, whose line in base64 stays under the 16 KiB that the worker takes. */
#define MAX_TRACE_BATCH 12000
