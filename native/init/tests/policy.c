/* Policies that are understood, and everything that must not be. */
#include "../policy.h"

#include <stdlib.h>
#include <string.h>

#include "../base64.h"
#include "test.h"

/* RET USER_NOTIF, and RET ERRNO | 38. */
#define FILTER "filter BgAAAAAAwH8="
#define ANSWER "answer BgAAACYABQA="
#define ARG "arg L2Jpbi90cnVl" /* /bin/true */
#define DIR "dir Lw=="	       /* / */

static struct policy policy;

/* The last step over `lines`, each given without room behind it, so that the sanitizer sees reads past the end. */
static enum policy_step feed(const char *const *lines)
{
	enum policy_step step = POLICY_MORE;

	memset(&policy, 0, sizeof(policy));
	for (; *lines && step == POLICY_MORE; lines++) {
		size_t length = strlen(*lines);
		char *copy = malloc(length > 0 ? length : 1);

		memcpy(copy, *lines, length);
		step = policy_line(&policy, copy, length);
		free(copy);
	}
	return *lines ? POLICY_INVALID : step;
}

#define FEED(...) feed((const char *const[]){ __VA_ARGS__, NULL })
#define WHOLE(...) FEED("policy 5", ARG, DIR, FILTER, ANSWER, __VA_ARGS__, "end")

static void whole_policies(void)
{
	CHECK(WHOLE("env QT1i", "env Qj0=", "arg -", "rlimit NOFILE 10 20", "rlimit CORE 0 unlimited") == POLICY_COMPLETE);
	CHECK(policy.argument_count == 2 && policy.environment_count == 2 && policy.rlimit_count == 2);
	CHECK(strcmp(policy.arguments[0], "/bin/true") == 0);
	CHECK(strcmp(policy.arguments[1], "") == 0 && !policy.arguments[2]);
	CHECK(strcmp(policy.environment[0], "A=b") == 0 && strcmp(policy.environment[1], "B=") == 0);
	CHECK(strcmp(policy.directory, "/") == 0);
	CHECK(policy.rlimits[0].resource == RLIMIT_NOFILE && policy.rlimits[0].limit.rlim_max == 20);
	CHECK(policy.rlimits[1].limit.rlim_cur == 0 && policy.rlimits[1].limit.rlim_max == RLIM_INFINITY);
	CHECK(policy.filter.length == 1 && policy.filter.instructions[0].k == SECCOMP_RET_USER_NOTIF);
	CHECK(policy.answer.length == 1 && policy.answer.instructions[0].k == (SECCOMP_RET_ERRNO | 38));
	/* Not complete before its end. */
	CHECK(FEED("policy 5", ARG, DIR, FILTER, ANSWER) == POLICY_MORE);
}

static void files_and_trace(void)
{
	CHECK(WHOLE("landlock") == POLICY_COMPLETE && policy.landlock && policy.path_count == 0);
	CHECK(WHOLE("path rx Lw==", "landlock", "path rwcx L2E=") == POLICY_COMPLETE);
	CHECK(policy.path_count == 2 && policy.paths[0].rights == 9 && policy.paths[1].rights == 15);
	CHECK(strcmp(policy.paths[0].path, "/") == 0 && strcmp(policy.paths[1].path, "/a") == 0);
	CHECK(WHOLE("path r Lw==") == POLICY_INVALID); /* without a ruleset it would grant all and hold nothing */
	CHECK(WHOLE("env QT1i") == POLICY_COMPLETE && !policy.landlock && policy.trace_maximum == 0);

	CHECK(WHOLE("stdin L2E=") == POLICY_COMPLETE && strcmp(policy.standard_input, "/a") == 0);
	CHECK(WHOLE("trace 1000") == POLICY_COMPLETE && policy.trace_maximum == 1000);
}

static void missing_fields(void)
{
	CHECK(FEED(ARG) == POLICY_INVALID);
	CHECK(FEED("policy 3") == POLICY_INVALID);
	CHECK(FEED("policy 4") == POLICY_INVALID);
	CHECK(FEED("policy 5 ") == POLICY_INVALID);
	CHECK(FEED("") == POLICY_INVALID);
	CHECK(FEED("policy 5", "end") == POLICY_INVALID);
	CHECK(FEED("policy 5", DIR, FILTER, ANSWER, "end") == POLICY_INVALID);
	CHECK(FEED("policy 5", ARG, FILTER, ANSWER, "end") == POLICY_INVALID);
	CHECK(FEED("policy 5", ARG, DIR, ANSWER, "end") == POLICY_INVALID);
	CHECK(FEED("policy 5", ARG, DIR, FILTER, "end") == POLICY_INVALID);
	CHECK(FEED("policy 5", "arg -", DIR, FILTER, ANSWER, "end") == POLICY_INVALID);
}

static void bad_lines(void)
{
	static const char *const bad[] = {
		"",
		" ",
		"policy 5",
		"end ",
		"arg",
		"arg ",
		"arg !!!!",
		"arg QQ== ",
		"arg QQ== QQ==",
		"arg QQBB", /* a NUL inside */
		"env",
		"env QQ==", /* no = */
		"env PUE=", /* no name */
		"dir Lw==", /* again */
		"enforcement enforce", /* the programs are all that is enforced */
		FILTER,
		ANSWER,
		"rlimit",
		"rlimit NOFILE",
		"rlimit NOFILE 1",
		"rlimit NOFILE 1 ",
		"rlimit NOFILE 2 1",
		"rlimit NOFILE unlimited 1",
		"rlimit NOFILE -1 1",
		"rlimit NOFILE 1 1 1",
		"rlimit NOFILE 1  1",
		"rlimit NOFILE 0x1 1",
		"rlimit NOFILE 1 9999999999999999999",
		"rlimit NOFILES 1 1",
		"rlimit 7 1 1",
		"rlimit NOFILE 01 1",
		"stdin",
		"stdin ",
		"stdin -",
		"stdin YQ==", /* not absolute */
		"stdin Lw== ",
		"landlock ",
		"landlock yes",
		"path",
		"path r",
		"path r ",
		"path  Lw==",
		"path Lw==",
		"path wr Lw==",
		"path rr Lw==",
		"path rwcxr Lw==",
		"path R Lw==",
		"path r Lw== ",
		"path r -",
		"path r YQ==", /* not absolute */
		"trace",
		"trace 0",
		"trace -1",
		"trace 1 ",
		"trace 1 1",
		"trace unlimited",
		"trace 9999999999999999999",
		"Arg QQ==",
		"root yes",
		"go",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(WHOLE(bad[i]) == POLICY_INVALID);
	CHECK(WHOLE("landlock", "landlock") == POLICY_INVALID);
	CHECK(WHOLE("stdin L2E=", "stdin L2E=") == POLICY_INVALID);
	CHECK(WHOLE("trace 1", "trace 1") == POLICY_INVALID);
	CHECK(FEED("policy 5", "dir QQ==") == POLICY_INVALID); /* not absolute */
	CHECK(FEED("policy 5", "dir -") == POLICY_INVALID);
	CHECK(FEED("policy 5", "filter -") == POLICY_INVALID);
	CHECK(FEED("policy 5", "filter BgAAAAAAwA==") == POLICY_INVALID);   /* 7 bytes */
	CHECK(FEED("policy 5", "filter BgAAAAAAAIA=") == POLICY_INVALID);   /* an answer's value */
	CHECK(FEED("policy 5", "filter BgAAAAAABQA=") == POLICY_INVALID);   /* ERRNO | 0 */
	CHECK(FEED("policy 5", "filter BgAAAAEABQA=") == POLICY_MORE);
	CHECK(FEED("policy 5", "answer BgAAAAAAwH8=") == POLICY_INVALID);   /* a filter's */
	CHECK(FEED("policy 5", "filter FQAAAAAAAAA=") == POLICY_INVALID);   /* no end */
}

static char *repeat(const char *prefix, size_t bytes)
{
	size_t length = strlen(prefix);
	char *value = malloc(bytes);
	char *line = malloc(length + BASE64_LENGTH(bytes) + 1);

	memset(value, 'x', bytes);
	memcpy(line, prefix, length);
	base64_encode(line + length, value, bytes);
	free(value);
	return line;
}

static void bounds(void)
{
	enum policy_step step = POLICY_MORE;
	char *line = repeat("arg ", 128 * 1024 - 1);
	int taken;

	memset(&policy, 0, sizeof(policy));
	policy_line(&policy, "policy 5", 8);
	for (taken = 0; step == POLICY_MORE && taken < 100; taken++)
		step = policy_line(&policy, line, strlen(line));
	CHECK(taken == 17 && step == POLICY_INVALID); /* 16 of 128 KiB fill 2 MiB */
	free(line);

	memset(&policy, 0, sizeof(policy));
	policy_line(&policy, "policy 5", 8);
	for (taken = 0, step = POLICY_MORE; step == POLICY_MORE && taken < 10000; taken++)
		step = policy_line(&policy, "arg -", 5);
	CHECK(taken == MAX_STRINGS + 1 && step == POLICY_INVALID);
	CHECK(!policy.arguments[MAX_STRINGS]);

	memset(&policy, 0, sizeof(policy));
	policy_line(&policy, "policy 5", 8);
	for (taken = 0, step = POLICY_MORE; step == POLICY_MORE && taken < 100; taken++)
		step = policy_line(&policy, "rlimit CPU 1 1", 14);
	CHECK(taken == MAX_RLIMITS + 1 && step == POLICY_INVALID);

	memset(&policy, 0, sizeof(policy));
	policy_line(&policy, "policy 5", 8);
	for (taken = 0, step = POLICY_MORE; step == POLICY_MORE && taken < 10000; taken++)
		step = policy_line(&policy, "path r Lw==", 11);
	CHECK(taken == MAX_PATHS + 1 && step == POLICY_INVALID);

	memset(&policy, 0, sizeof(policy));
	policy_line(&policy, "policy 5", 8);
	line = repeat("filter ", (MAX_INSTRUCTIONS + 1) * sizeof(struct sock_filter));
	CHECK(policy_line(&policy, line, strlen(line)) == POLICY_INVALID);
	free(line);
}

/* Every prefix of every line, and every single wrong byte: understood or refused, never read past. */
static void mutations(void)
{
	static const char *const lines[] = { ARG, DIR, FILTER, ANSWER, "env QT1i", "rlimit NOFILE 10 20",
		"path rwcx L2E=", "trace 1000", "landlock" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t length = strlen(lines[i]);

		for (size_t at = 0; at < length; at++)
			for (int byte = 0; byte < 256; byte++) {
				char *copy = malloc(length);

				memcpy(copy, lines[i], length);
				copy[at] = (char)byte;
				memset(&policy, 0, offsetof(struct policy, strings));
				policy_line(&policy, "policy 5", 8);
				CHECK(policy_line(&policy, copy, length) != POLICY_COMPLETE);
				memset(&policy, 0, offsetof(struct policy, strings));
				policy_line(&policy, "policy 5", 8);
				CHECK(policy_line(&policy, copy, at) != POLICY_COMPLETE);
				free(copy);
			}
	}
}

void test_policy(void)
{
	whole_policies();
	files_and_trace();
	missing_fields();
	bad_lines();
	bounds();
	mutations();
}
