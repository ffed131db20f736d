/* Base64 (RFC 4648, section 4). */
#include "base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(char *text, const void *bytes, size_t length)
{
	const uint8_t *in = bytes;
	char *out = text;

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t group = (uint32_t)in[i] << 16;

		if (left > 1)
			group |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			group |= in[i + 2];
		*out++ = alphabet[group >> 18];
		*out++ = alphabet[group >> 12 & 63];
		*out++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
		*out++ = left > 2 ? alphabet[group & 63] : '=';
	}
	*out = '\0';
	return (size_t)(out - text);
}

static int digit(char c)
{
	const char *found = memchr(alphabet, c, 64);

	return found ? (int)(found - alphabet) : -1;
}

ssize_t base64_decode(void *bytes, size_t capacity, const char *text, size_t length)
{
	uint8_t *out = bytes;
	size_t padding = 0, size;

	if (length % 4 != 0)
		return -1;
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	size = length / 4 * 3 - padding;
	if (size > capacity)
		return -1;
	for (size_t i = 0, written = 0; i < length; i += 4) {
		uint32_t group = 0;

		for (size_t j = i; j < i + 4; j++) {
			int value = j < length - padding ? digit(text[j]) : 0;

			if (value < 0)
				return -1;
			group = group << 6 | (uint32_t)value;
		}
		for (int shift = 16; shift >= 0; shift -= 8) {
			uint8_t byte = group >> shift & 255;

			if (written < size)
				out[written++] = byte;
			else if (byte != 0)
				return -1; /* bits below the padding must be zero: one text for each value */
		}
	}
	return (ssize_t)size;
}
