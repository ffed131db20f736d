/* What name.c, path_set.c and base64.c must do; built with ASan and UBSan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "name.h"
#include "path_set.h"

static int failures;

static void check(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "FAILED: %s\n", what);
		failures++;
	}
}

static struct part part_of(const char *text)
{
	return (struct part){ text, strlen(text) };
}

static bool is_part(struct part part, const char *text)
{
	return part.length == strlen(text) && !memcmp(part.bytes, text, part.length);
}

static void test_names(void)
{
	static const char *splits[][3] = {
		{ "a", "", "a" },	   { "/a", "/", "a" },	  { "a/b", "a/", "b" },	 { "a//b//", "a//", "b" },
		{ "/", "/", "" },	   { ".", ".", "" },	  { "a/..", "a/..", "" }, { "a/./", "a/./", "" },
		{ "...", "", "..." },	   { "", "", "" },	  { "..a", "", "..a" },
	};
	struct part text = part_of("//a/./../b"), name, rest;

	for (size_t at = 0; at < sizeof splits / sizeof splits[0]; at++) {
		struct part directory = split_name(part_of(splits[at][0]), &name);

		check(is_part(directory, splits[at][1]) && is_part(name, splits[at][2]), splits[at][0]);
	}
	check(next_name(&text, &name) && is_part(name, "a") && next_name(&text, &name) && is_part(name, "..") &&
		      next_name(&text, &name) && is_part(name, "b") && !next_name(&text, &name), "next_name");
	check(below(part_of("/a"), part_of("/a/b"), &rest) && is_part(rest, "/b"), "below");
	check(below(part_of(""), part_of("/a"), &rest) && is_part(rest, "/a"), "below the root");
	check(!below(part_of("/a"), part_of("/ab"), &rest) && !below(part_of("/a"), part_of(""), &rest), "not below");
}

static void test_joined_names(void)
{
	static char path[MAX_JOINED_BYTES], name[MAX_JOINED_BYTES];
	struct name_request request = { part_of("/r"), part_of("/r/b"), part_of("../t"), false };

	check(join_name(&request, path) == 9 && !strcmp(path, "/r/b/../t"), "a relative name");
	request.text = part_of("/t");
	check(join_name(&request, path) == 4 && !strcmp(path, "/r/t"), "an absolute name");
	check(remove_name(path, 4, 2) == 2 && !strcmp(path, "/r"), "remove_name");
	check(remove_name(path, 2, 2) == 2 && !strcmp(path, "/r"), "remove_name at the root");
	memset(name, 'x', sizeof name - 1);
	request.text = (struct part){ name, sizeof name - 1 };
	check(join_name(&request, path) == MAX_JOINED_BYTES - 1 && path[MAX_JOINED_BYTES - 1] == '\0', "a long name is cut");
}

static void test_path_sets(void)
{
	struct path_set set = { .hashes = NULL };
	char path[32];
	size_t found = 0;

	check(!path_set_has(&set, "/a", 2), "an empty set");
	path_set_add_all(&set, "/a/b/c", 6);
	check(path_set_has(&set, "/a", 2) && path_set_has(&set, "/a/b", 4) && path_set_has(&set, "/a/b/c", 6), "all above");
	check(!path_set_has(&set, "/a/", 3) && !path_set_has(&set, "/b", 2), "nothing else");
	for (int at = 0; at < 200000; at++)
		path_set_add(&set, path, (size_t)snprintf(path, sizeof path, "/%d", at));
	for (int at = 0; at < 200000; at++)
		found += path_set_has(&set, path, (size_t)snprintf(path, sizeof path, "/%d", at));
	check(found > 100000 && found < 200000 && set.count <= set.places / 2, "a set is bounded");
	path_set_clear(&set);
	check(!path_set_has(&set, "/a", 2), "a cleared set");
}

static void test_base64(void)
{
	static const char *texts[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
					  { "foob", "Zm9vYg==" }, { "\377\376", "//4=" } };
	char text[BASE64_BYTES(4)];

	for (size_t at = 0; at < sizeof texts / sizeof texts[0]; at++) {
		base64(texts[at][0], strlen(texts[at][0]), text);
		check(!strcmp(text, texts[at][1]), texts[at][1]);
	}
}

int main(void)
{
	test_names();
	test_joined_names();
	test_path_sets();
	test_base64();
	puts(failures ? "name_test: failed" : "name_test: passed");
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
