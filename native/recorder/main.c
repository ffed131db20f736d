/* porin-recorder: carries out the lines of docs/recorder-protocol.md, in order, until standard input ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "limits.h"
#include "line.h"
#include "programs.h"
#include "recordings.h"
#include "uses.h"

#define VERSION "3.0"

static void answer_error(const char *code, const char *message)
{
	printf("error %s %s\n", code, message);
}

static void answer_report(const char *word, const char *id, const struct report *report)
{
	const struct call_counts *counts = &report->counts;
	const char *separator = "";

	printf("%s %s others=%u started=%u empty=%d execs=%llu foreign=%llu map-failures=%llu", word, id, report->others,
	       report->state.started, report->empty, report->state.execs, report->state.foreign_processes,
	       report->state.map_failures);
	printf(" misses=%llu supervisor=%llu before-start=%llu compat=%llu x32=%llu unknown=%llu", report->misses,
	       counts->supervisor, counts->before_start, counts->compat, counts->x32, counts->unknown);
	printf(" overflows=%llu ring-failures=%llu unresolved=%llu tasks=%d calls=", report->state.overflows,
	       report->state.ring_failures, report->state.unresolved, report->state.peak_tasks);
	for (unsigned int number = 0; number < MAX_NUMBERS; number++) {
		if (counts->numbers[number] == 0)
			continue;
		printf("%s%u:%llu", separator, number, counts->numbers[number]);
		separator = ",";
	}
	putchar('\n');
}

static const char *finish(const char *id, const char **message)
{
	static struct report report;
	const char *code = recordings_stop(id, &report, message);

	if (code)
		return code;
	report.state.map_failures += !uses_write(id, report.slot);
	report.state.map_failures += !files_write(id, report.slot);
	answer_report("finished", id, &report);
	return recordings_disarm(id, message);
}

static const char *carry_out(const struct command *command, const char **message)
{
	static struct report report;
	unsigned int others;
	const char *code = NULL;

	switch (command->kind) {
	case COMMAND_ARM:
		code = recordings_arm(command, &others, message);
		if (!code)
			printf("armed %s others=%u\n", command->id, others);
		break;
	case COMMAND_READ:
		code = recordings_read(command->id, &report, message);
		if (!code)
			answer_report("counts", command->id, &report);
		break;
	case COMMAND_FINISH:
		code = finish(command->id, message);
		break;
	case COMMAND_DISARM:
		code = recordings_disarm(command->id, message);
		if (!code)
			printf("disarmed %s\n", command->id);
		break;
	}
	return code;
}

static void answer_line(const struct line_reader *reader)
{
	struct command command;
	const char *message = NULL;
	const char *code;

	if (reader->oversized) {
		answer_error("bad-line", "the line is too long");
		return;
	}
	code = parse_command(reader->bytes, reader->length, &command, &message);
	if (!code)
		code = carry_out(&command, &message);
	if (code)
		answer_error(code, message);
}

/* Reads what is there and answers its lines. False at the end of the input, with the exit status. */
static bool take_input(struct line_reader *reader, int *status)
{
	char chunk[4096];
	ssize_t length = read(STDIN_FILENO, chunk, sizeof chunk);

	if (length <= 0) {
		*status = length == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		return length < 0 && errno == EINTR;
	}
	for (ssize_t at = 0; at < length; at++) {
		if (!line_take(reader, chunk[at]))
			continue;
		answer_line(reader);
		line_reset(reader);
		if (fflush(stdout)) {
			*status = EXIT_FAILURE;
			return false;
		}
	}
	return true;
}

static int serve(void)
{
	struct line_reader reader = { .length = 0 };
	struct pollfd sources[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = files_fd(), .events = POLLIN },
	};
	int status = EXIT_SUCCESS;

	for (;;) {
		if (poll(sources, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return EXIT_FAILURE;
		}
		if (sources[1].revents)
			files_drain();
		if (sources[0].revents && !take_input(&reader, &status))
			return status;
	}
}

static const char *start(int argc, char **argv, const char **message)
{
	struct limits limits = DEFAULT_LIMITS;
	const char *code;

	*message = "usage: porin-recorder [--limits <name>=<number>,...]";
	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--limits") || !parse_limits(argv[2], &limits)))
		return "bad-argument";
	code = programs_load(&limits, message);
	if (code)
		return code;
	*message = "the paths' buffer cannot be opened";
	return files_open() ? NULL : "bpf-load-failed";
}

int main(int argc, char **argv)
{
	const char *message = NULL;
	const char *code;
	int status;

	/* The worker ends the recorder by closing its input, after its last recording; a signal to the group must not. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);

	code = start(argc, argv, &message);
	if (code) {
		answer_error(code, message);
		programs_unload();
		return EXIT_FAILURE;
	}
	printf("ready %s syscalls arguments files\n", VERSION);
	status = fflush(stdout) ? EXIT_FAILURE : serve();
	files_close();
	programs_unload();
	return status;
}
