/* The command lines of docs/recorder-protocol.md, parsed without any effect. */
#ifndef PORIN_RECORDER_LINE_H
#define PORIN_RECORDER_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "layout.h"

#define MAX_LINE 256
#define MAX_ID 64

enum command_kind { COMMAND_ARM, COMMAND_READ, COMMAND_FINISH, COMMAND_DISARM };

struct command {
	enum command_kind kind;
	char id[MAX_ID + 1];
	/* COMMAND_ARM only */
	int pid;
	enum recording_kind recorded;
};

/* Returns NULL, or the error code; then `*message` says what is wrong. `line` has no newline and may hold any byte. */
const char *parse_command(const char *line, size_t length, struct command *command, const char **message);

/* Collects lines from chunks. A line over MAX_LINE is kept to its newline as one oversized line. */
struct line_reader {
	char bytes[MAX_LINE];
	size_t length;
	bool oversized;
};

/* Takes one byte; true when it ended a line, which is then in `bytes`, unless `oversized`. Call line_reset after it. */
bool line_take(struct line_reader *reader, char byte);
void line_reset(struct line_reader *reader);

#endif
