/* The Unix socket to the worker: whole lines in, bounded lines out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "limits.h"

/*
 * Everything that can wait to be sent at once: the report of all denials, their counts twice, two batches of the trace, the
 * path of a program, and the few other messages. So writing never waits for the worker, and nothing is ever lost to a full buffer.
 */
#define MAX_OUTPUT \
	(MAX_REPORT + (NATIVE_NUMBERS + FOREIGN_KINDS + MAX_OTHER_CALLS) * MAX_DENIAL_LINE + 2 * 32 * MAX_DENIALS + 2 * 16 * 1024 + 8192 + 4096)

struct control {
	int fd;
	bool lost; /* hung up or broken: nothing more is said */
	size_t input_length, line_length; /* what has arrived, and the line at its start that was given out */
	char input[MAX_LINE];
	size_t output_sent, output_length;
	char output[MAX_OUTPUT];
};

/* Connects, retrying never. Returns false with errno set. */
bool control_connect(struct control *control, const char *path);

enum control_read { CONTROL_LINE, CONTROL_AGAIN, CONTROL_LOST };

/*
 * Takes one line out of what has arrived, without waiting. The line stays valid until the next call. LOST: hung up, or a
 * line longer than MAX_LINE, or a read error.
 */
enum control_read control_line(struct control *control, const char **line, size_t *length);

/* Queues text and sends what can be sent without waiting. A worker that is gone is `lost`. */
__attribute__((format(printf, 2, 3))) void control_printf(struct control *control, const char *format, ...);
void control_flush(struct control *control);
bool control_pending(const struct control *control);

/* Waits until everything is sent. False if the worker is gone or takes longer than `timeout_ms` for a step. */
bool control_drain(struct control *control, int timeout_ms);

/* Waits until the worker has hung up, at most `timeout_ms` after the last thing that it said, which is ignored. */
void control_wait_for_hang_up(struct control *control, int timeout_ms);
