/* The bounds of everything that comes from outside, so that all memory is static. */
#ifndef PORIN_LIMITS_H
#define PORIN_LIMITS_H

#define PORIN_INIT_VERSION "0.1.0"
#define PORIN_PROTOCOL 1

/* One argument of MAX_ARG_STRLEN (128 KiB, linux/binfmts.h) in base64, with its keyword; a filter needs 44 KiB. */
#define MAX_LINE (176 * 1024)
/* All argument and environment strings of one policy, decoded. */
#define MAX_STRINGS_BYTES (2 * 1024 * 1024)
#define MAX_STRINGS 8192
#define MAX_RLIMITS 16
/* BPF_MAXINSNS, linux/bpf_common.h. */
#define MAX_INSTRUCTIONS 4096

/* A path or address copied out of the payload: PATH_MAX. */
#define MAX_STRING_READ 4096
/* Distinct denials that are reported. */
#define MAX_SHAPES 256

#endif
