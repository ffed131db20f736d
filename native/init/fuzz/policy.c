/*
 * Fuzz target: what the worker's socket gives, as lines, as a policy. The first byte says in how large pieces the rest
 * arrives. A policy that is accepted must be within its bounds, and its programs must end.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../control.h"
#include "../policy.h"

static struct control control;
static struct policy policy;

static void hold(bool condition)
{
	if (!condition)
		abort();
}

static void open_pair(int *worker)
{
	int pair[2];

	hold(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	control.fd = pair[0];
	control.input_length = control.line_length = 0;
	memset(&policy, 0, offsetof(struct policy, strings));
	*worker = pair[1];
}

static bool refuses(uint32_t verdict)
{
	return (verdict & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && (verdict & SECCOMP_RET_DATA) != 0;
}

/* Everything that the child would use, from its first byte to its last. */
static void use(void)
{
	struct seccomp_data data = { 0 };
	size_t total = 0;

	hold(policy.argument_count <= MAX_STRINGS && !policy.arguments[policy.argument_count]);
	hold(policy.environment_count <= MAX_STRINGS && !policy.environment[policy.environment_count]);
	hold(policy.path_count <= MAX_PATHS && policy.rlimit_count <= MAX_RLIMITS && policy.strings_used <= MAX_STRINGS_BYTES);
	for (size_t i = 0; i < policy.argument_count; i++)
		total += strlen(policy.arguments[i]) + 1;
	for (size_t i = 0; i < policy.environment_count; i++) {
		hold(strchr(policy.environment[i], '='));
		total += strlen(policy.environment[i]) + 1;
	}
	for (size_t i = 0; i < policy.path_count; i++) {
		hold(policy.landlock && policy.paths[i].path[0] == '/' && policy.paths[i].rights > 0 && policy.paths[i].rights < 16);
		total += strlen(policy.paths[i].path) + 1;
	}
	hold(total + strlen(policy.directory) + 1 == policy.strings_used);
	for (int number = -1; number < 500; number += 7) {
		uint32_t filter, answer;

		data.nr = number;
		filter = answer_run(&policy.filter, &data);
		answer = answer_run(&policy.answer, &data);
		hold(filter == SECCOMP_RET_ALLOW || filter == SECCOMP_RET_USER_NOTIF || refuses(filter));
		hold(answer == SECCOMP_RET_ALLOW || answer == SECCOMP_RET_KILL_PROCESS || refuses(answer));
	}
}

/* False once nothing more may be read. */
static bool take_lines(void)
{
	const char *line;
	size_t length;

	for (;;) {
		enum control_read result = control_line(&control, &line, &length);
		enum policy_step step;

		if (result != CONTROL_LINE)
			return result == CONTROL_AGAIN;
		hold(length < MAX_LINE && !memchr(line, '\n', length));
		step = policy_line(&policy, line, length);
		if (step == POLICY_COMPLETE)
			use();
		if (step != POLICY_MORE)
			return false;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	size_t piece = length > 0 ? 1 + bytes[0] * 64UL : 1;
	int worker;

	open_pair(&worker);
	for (size_t at = 1; at < length; at += piece) {
		size_t size = length - at < piece ? length - at : piece;

		hold(send(worker, bytes + at, size, MSG_NOSIGNAL) == (ssize_t)size);
		if (!take_lines())
			break;
	}
	close(worker);
	close(control.fd);
	return 0;
}
