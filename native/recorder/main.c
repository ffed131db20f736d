/* porin-recorder: carries out the lines of docs/recorder-protocol.md, one answer to each, until standard input ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "line.h"
#include "programs.h"
#include "recordings.h"

#define VERSION "1.0"

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
	       report->state.map_failures + !report->misses_known);
	printf(" misses=%llu supervisor=%llu before-start=%llu compat=%llu x32=%llu unknown=%llu calls=", report->misses,
	       counts->supervisor, counts->before_start, counts->compat, counts->x32, counts->unknown);
	for (unsigned int number = 0; number < MAX_NUMBERS; number++) {
		if (counts->numbers[number] == 0)
			continue;
		printf("%s%u:%llu", separator, number, counts->numbers[number]);
		separator = ",";
	}
	putchar('\n');
}

static const char *carry_out(const struct command *command, const char **message)
{
	struct report report;
	unsigned int others;
	const char *code = NULL;

	switch (command->kind) {
	case COMMAND_ARM:
		code = recordings_arm(command->id, command->pid, &others, message);
		if (!code)
			printf("armed %s others=%u\n", command->id, others);
		break;
	case COMMAND_READ:
	case COMMAND_FINISH:
		code = recordings_read(command->id, &report, message);
		if (code)
			break;
		answer_report(command->kind == COMMAND_READ ? "counts" : "finished", command->id, &report);
		if (command->kind == COMMAND_FINISH)
			code = recordings_disarm(command->id, message);
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

static int serve(void)
{
	struct line_reader reader = { .length = 0 };
	char chunk[4096];

	for (;;) {
		ssize_t length = read(STDIN_FILENO, chunk, sizeof chunk);

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return length == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		for (ssize_t at = 0; at < length; at++) {
			if (!line_take(&reader, chunk[at]))
				continue;
			answer_line(&reader);
			line_reset(&reader);
			if (fflush(stdout))
				return EXIT_FAILURE;
		}
	}
}

int main(void)
{
	const char *message = NULL;
	const char *code;
	int status;

	/* The worker ends the recorder by closing its input, after its last recording; a signal to the group must not. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);

	code = programs_load(&message);
	if (code) {
		answer_error(code, message);
		return EXIT_FAILURE;
	}
	printf("ready %s syscalls\n", VERSION);
	status = fflush(stdout) ? EXIT_FAILURE : serve();
	programs_unload();
	return status;
}
