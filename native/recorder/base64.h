/* Bytes as text (RFC 4648, section 4). */
#ifndef PORIN_RECORDER_BASE64_H
#define PORIN_RECORDER_BASE64_H

#include <stddef.h>

/* The text of so many bytes, with its end. */
#define BASE64_BYTES(length) (((length) + 2) / 3 * 4 + 1)

void base64(const char *bytes, size_t length, char *text);

#endif
