/* Base64 (RFC 4648, section 4): canonical, padded, nothing else accepted. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Bytes of base64 text for `length` bytes, without a terminating NUL. */
#define BASE64_LENGTH(length) (((length) + 2) / 3 * 4)

/* Writes BASE64_LENGTH(length) characters and a NUL to `text`. Returns the number of characters. */
size_t base64_encode(char *text, const void *bytes, size_t length);

/* Returns the number of bytes, or -1 for text that is not canonical base64 or does not fit `capacity`. */
ssize_t base64_decode(void *bytes, size_t capacity, const char *text, size_t length);
