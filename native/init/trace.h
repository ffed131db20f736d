/* The notification trace: one line of text for each call, gathered for the next message. */
#pragma once

#include <sys/types.h>

#include "ledger.h"

/* Seconds, thread, number and six arguments; then a word for each thing pointed to, every byte of it escaped. */
#define MAX_TRACE_LINE (192 + MAX_POINTED_TO * (16 + 4 * MAX_POINTED))

struct trace {
	uint64_t maximum; /* bytes of text in all; 0: there is no trace */
	uint64_t bytes;	  /* of text so far */
	uint64_t calls;
	uint64_t beyond;  /* of them, the last ones, which the maximum leaves out: they need no line */
	size_t length;	  /* of the text that is gathered */
	size_t line;	  /* of the line behind it that is not added yet */
	char text[MAX_TRACE_BATCH];
};

/* There is room for one more line. */
bool trace_has_room(const struct trace *trace);

/* Prepares the line of a call, which trace_commit adds: a call counts once its answer has arrived. */
void trace_prepare(struct trace *trace, int64_t at_us, pid_t tid, const struct call *call);
void trace_commit(struct trace *trace);
