/* What line.c, limits.c and cgroup.c must accept and refuse, and what aware.h must be; built with ASan and UBSan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "limits.h"
#include "line.h"

static int failures;

static void check(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "FAILED: %s\n", what);
		failures++;
	}
}

/* A copy on the heap without a terminator, so that a read past the end is seen. */
static const char *parse(const char *line, size_t length, struct command *command)
{
	const char *message = NULL;
	char *copy = malloc(length ? length : 1);
	const char *code;

	memcpy(copy, line, length);
	memset(command, 0, sizeof *command);
	code = parse_command(copy, length, command, &message);
	check(!code || message, "an error carries a message");
	free(copy);
	return code;
}

static void refuses(const char *line, size_t length, const char *wanted)
{
	struct command command;
	const char *code = parse(line, length, &command);

	check(code && !strcmp(code, wanted), line);
}

#define REFUSES(line, wanted) refuses(line, sizeof(line) - 1, wanted)

static void test_commands(void)
{
	struct command command;
	char id[MAX_ID + 2];
	char line[MAX_ID + 32];

	check(!parse("arm 3f-A_9 4194304 arguments", 28, &command) && command.kind == COMMAND_ARM &&
		      command.pid == 4194304 && command.recorded == KIND_ARGUMENTS && !strcmp(command.id, "3f-A_9"), "arm");
	check(!parse("arm a 1 syscalls", 16, &command) && command.recorded == KIND_SYSCALLS, "arm with syscalls");
	check(!parse("arm a 1 files", 13, &command) && command.recorded == KIND_FILES, "arm with files");
	check(!parse("finish x", 8, &command) && command.kind == COMMAND_FINISH && !strcmp(command.id, "x"), "finish");
	check(!parse("read x", 6, &command) && command.kind == COMMAND_READ, "read");
	check(!parse("disarm x", 8, &command) && command.kind == COMMAND_DISARM, "disarm");

	memset(id, 'a', sizeof id);
	id[MAX_ID] = '\0';
	snprintf(line, sizeof line, "read %s", id);
	check(!parse(line, strlen(line), &command) && strlen(command.id) == MAX_ID, "an id of 64 characters");
	snprintf(line, sizeof line, "read %sa", id);
	refuses(line, strlen(line), "bad-argument");

	REFUSES("", "bad-line");
	REFUSES(" ", "bad-line");
	REFUSES(" arm a 1", "bad-line");
	REFUSES("arm  a 1", "bad-line");
	REFUSES("arm a 1 ", "bad-line");
	REFUSES("arm a 1 2", "bad-argument");
	REFUSES("arm a", "bad-line");
	REFUSES("arm a 1", "bad-line");
	REFUSES("arm a 1 files x", "bad-line");
	REFUSES("read", "bad-line");
	REFUSES("read a 1", "bad-line");
	REFUSES("ar a 1", "unknown-command");
	REFUSES("arms a 1", "unknown-command");
	REFUSES("ARM a 1", "unknown-command");
	REFUSES("\0\377\n", "unknown-command");
	REFUSES("read a/b", "bad-argument");
	REFUSES("read a\0b", "bad-argument");
	REFUSES("arm a 1 file", "bad-argument");
	REFUSES("arm a 1 filess", "bad-argument");
	REFUSES("arm a 1 none", "bad-argument");
	REFUSES("arm a 0 files", "bad-argument");
	REFUSES("arm a -1 files", "bad-argument");
	REFUSES("arm a 1x files", "bad-argument");
	REFUSES("arm a 0x1 files", "bad-argument");
	REFUSES("arm a 2147483648 files", "bad-argument");
	REFUSES("arm a 99999999999999999999 files", "bad-argument");
}

static void test_garbage(void)
{
	unsigned int state = 1;
	struct command command;
	char line[MAX_LINE];

	for (int round = 0; round < 200000; round++) {
		size_t length = (state >> 8) % sizeof line;

		for (size_t at = 0; at < length; at++) {
			state = state * 1103515245U + 12345U;
			line[at] = "arm read finish disarm files 019-_\t\377\0x"[(state >> 16) % 39];
		}
		state = state * 1103515245U + 12345U;
		(void)parse(line, length, &command);
	}
}

static void test_lines(void)
{
	struct line_reader reader = { .length = 0 };

	for (int at = 0; at < MAX_LINE; at++)
		check(!line_take(&reader, 'a'), "no line yet");
	check(!reader.oversized && line_take(&reader, '\n') && reader.length == MAX_LINE, "a line of the greatest length");
	line_reset(&reader);
	for (int at = 0; at < 3 * MAX_LINE; at++)
		line_take(&reader, 'a');
	check(line_take(&reader, '\n') && reader.oversized, "an oversized line is one line");
	line_reset(&reader);
	check(line_take(&reader, '\n') && !reader.oversized && reader.length == 0, "an empty line after it");
}

static void test_limits(void)
{
	static const char *refused[] = { "", "entries", "entries=", "entries=0", "entries=1,", ",entries=1", "entries=-1",
					 "entries=1x", "entrie=1", "entriess=1", "entries=99999999999", "entries=1 uses=2" };
	struct limits limits = DEFAULT_LIMITS;

	check(parse_limits("uses=8", &limits) && limits.uses == 8 && limits.entries == MAX_USE_ENTRIES, "one limit");
	check(parse_limits("entries=16,uses=9", &limits) && limits.uses == 9 && limits.entries == 16, "two limits");
	for (size_t at = 0; at < sizeof refused / sizeof refused[0]; at++)
		check(!parse_limits(refused[at], &limits), refused[at]);
}

/* What the programs and the `use` lines rely on. */
static void test_aware_calls(void)
{
	for (int at = 0; at < AWARE_CALLS; at++) {
		const struct aware_call *call = &aware_calls[at];

		check(call->number < MAX_NUMBERS && (at == 0 || call->number > call[-1].number), "numbers ascend");
		check(call->count >= 1 && call->count <= AWARE_ARGUMENTS_MAXIMUM, "a call has one argument or more");
		for (unsigned int argument = 0; argument < call->count; argument++) {
			check(call->arguments[argument] <= 5, "an argument is one of six");
			check(argument == 0 || call->arguments[argument] > call->arguments[argument - 1], "arguments ascend");
			check(call->masks[argument] != 0, "a mask keeps something");
		}
	}
}

static void test_mounts(void)
{
	static struct cgroup2_mount mount;

	check(cgroup2_mount_of_line("41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n", &mount) &&
		      !strcmp(mount.root, "/") && !strcmp(mount.point, "/sys/fs/cgroup/unified"), "hybrid");
	check(cgroup2_mount_of_line("30 23 0:26 /../a /mnt/a\\040b rw shared:4 - cgroup2 none rw\n", &mount) &&
		      !strcmp(mount.root, "/../a") && !strcmp(mount.point, "/mnt/a b"), "escapes and optional fields");
	check(!cgroup2_mount_of_line("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", &mount), "cgroup v1");
	check(!cgroup2_mount_of_line("30 23 0:26 / /a\\04 rw - cgroup2 none rw\n", &mount), "a cut escape");
	check(!cgroup2_mount_of_line(" - cgroup2 x", &mount), "too few fields");
	check(!cgroup2_mount_of_line("1 2 3 / - cgroup2 x", &mount), "no mount point");
	check(!cgroup2_mount_of_line("", &mount), "nothing");
}

static void joins(const char *root, const char *path, const char *wanted_code, const char *wanted)
{
	static struct cgroup2_mount mount;
	char directory[64];
	const char *message;
	const char *code;

	snprintf(mount.root, sizeof mount.root, "%s", root);
	snprintf(mount.point, sizeof mount.point, "/sys/fs/cgroup");
	code = cgroup2_directory(&mount, path, directory, sizeof directory, &message);
	if (wanted_code)
		check(code && !strcmp(code, wanted_code), path);
	else
		check(!code && !strcmp(directory, wanted), path);
}

static void test_directories(void)
{
	joins("/", "/porin/a", NULL, "/sys/fs/cgroup/porin/a");
	joins("/pod", "/pod/a", NULL, "/sys/fs/cgroup/a");
	joins("/", "/", "root-cgroup", NULL);
	joins("/pod", "/pod", "root-cgroup", NULL);
	joins("/pod", "/podium/a", "cgroup-outside-mount", NULL);
	joins("/pod", "/other", "cgroup-outside-mount", NULL);
	joins("/", "/../a", "cgroup-outside-mount", NULL);
	joins("/", "", "cgroup-outside-mount", NULL);
	joins("/", "/a-path-that-is-longer-than-the-room-for-it-so-that-it-must-not-be-cut-short", "no-cgroup", NULL);
}

int main(void)
{
	test_commands();
	test_garbage();
	test_lines();
	test_limits();
	test_aware_calls();
	test_mounts();
	test_directories();
	puts(failures ? "parse_test: failed" : "parse_test: passed");
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
