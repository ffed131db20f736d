/* RFC 4648, section 10, and what must be refused. */
#include "../base64.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static bool round_trip(const char *bytes, const char *text)
{
	char encoded[32];
	char decoded[32];
	size_t length = strlen(bytes);

	return base64_encode(encoded, bytes, length) == strlen(text) && strcmp(encoded, text) == 0 &&
	       base64_decode(decoded, sizeof(decoded), text, strlen(text)) == (ssize_t)length &&
	       memcmp(decoded, bytes, length) == 0;
}

static bool refused(const char *text)
{
	char decoded[32];

	return base64_decode(decoded, sizeof(decoded), text, strlen(text)) == -1;
}

static void every_byte(void)
{
	unsigned char bytes[256], decoded[256];
	char text[BASE64_LENGTH(256) + 1];

	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	for (size_t length = 0; length <= 256; length++) {
		size_t characters = base64_encode(text, bytes, length);

		CHECK(characters == BASE64_LENGTH(length));
		CHECK(base64_decode(decoded, length, text, characters) == (ssize_t)length);
		CHECK(memcmp(decoded, bytes, length) == 0);
	}
}

/* Exactly as large as the value: the sanitizer sees one byte too many, on either side. */
static void exact_room(void)
{
	char *text = malloc(4);
	char *bytes = malloc(2);

	memcpy(text, "Zm8=", 4);
	CHECK(base64_decode(bytes, 2, text, 4) == 2);
	CHECK(base64_decode(bytes, 1, text, 4) == -1);
	free(text);
	free(bytes);
}

void test_base64(void)
{
	CHECK(round_trip("", ""));
	CHECK(round_trip("f", "Zg=="));
	CHECK(round_trip("fo", "Zm8="));
	CHECK(round_trip("foo", "Zm9v"));
	CHECK(round_trip("foobar", "Zm9vYmFy"));
	CHECK(refused("Z"));
	CHECK(refused("Zg="));
	CHECK(refused("Zg"));
	CHECK(refused("===="));
	CHECK(refused("Z==="));
	CHECK(refused("Zg==Zg=="));
	CHECK(refused("Zh==")); /* bits below the padding */
	CHECK(refused("Zm9="));
	CHECK(refused("Zm 9"));
	CHECK(refused("Zm9-"));
	CHECK(refused("Zm9\n"));
	every_byte();
	exact_room();
}
