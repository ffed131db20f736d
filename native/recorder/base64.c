/* Bytes as text (RFC 4648, section 4). */
#include "base64.h"

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64(const char *bytes, size_t length, char *text)
{
	for (size_t at = 0; at < length; at += 3) {
		size_t count = length - at < 3 ? length - at : 3;
		unsigned int group = 0;

		for (size_t byte = 0; byte < 3; byte++)
			group = group << 8 | (byte < count ? (unsigned char)bytes[at + byte] : 0);
		for (size_t digit = 0; digit < 4; digit++)
			*text++ = digit <= count ? DIGITS[group >> (18 - 6 * digit) & 63] : '=';
	}
	*text = '\0';
}
