/* Lines of the notification trace. Written by hand: printf would take as long as the notification itself. */
#include "trace.h"

#include <string.h>

static char *put_text(char *to, const char *text)
{
	size_t length = strlen(text);

	memcpy(to, text, length);
	return to + length;
}

static char *put_number(char *to, uint64_t value, unsigned base, size_t digits)
{
	char text[20]; /* digits of a 64-bit number */
	size_t length = 0;

	for (; value != 0 || length < digits; value /= base)
		text[length++] = "0123456789abcdef"[value % base];
	while (length > 0)
		*to++ = text[--length];
	return to;
}

/* A word: printable ASCII but the backslash as it is, every other byte, and each of an address, as \xNN. */
static char *put_pointed(char *to, const struct pointed *pointed)
{
	to = put_text(put_text(to, " "), pointed_word(pointed));
	to = put_text(put_number(put_text(to, ":"), pointed->argument, 10, 1), ":");
	for (size_t i = 0; i < pointed->length; i++) {
		uint8_t byte = (uint8_t)pointed->bytes[i];

		if (pointed->kind != POINTED_ADDRESS && byte > ' ' && byte <= '~' && byte != '\\')
			*to++ = (char)byte;
		else
			to = put_number(put_text(to, "\\x"), byte, 16, 2);
	}
	return to;
}

bool trace_has_room(const struct trace *trace)
{
	return sizeof(trace->text) - trace->length >= MAX_TRACE_LINE;
}

void trace_prepare(struct trace *trace, int64_t at_us, pid_t tid, const struct call *call)
{
	char *line = trace->text + trace->length;
	char *to = put_text(put_number(line, (uint64_t)at_us / 1000000, 10, 1), ".");

	to = put_text(put_number(to, (uint64_t)at_us % 1000000, 10, 6), " ");
	to = put_text(put_number(to, (uint64_t)tid, 10, 1), " ");
	to = put_number(to, (uint32_t)call->data.nr, 10, 1);
	for (int i = 0; i < 6; i++)
		to = put_number(put_text(to, " 0x"), call->data.args[i], 16, 1);
	for (size_t i = 0; i < call->pointed_count; i++)
		to = put_pointed(to, &call->pointed[i]);
	*to++ = '\n';
	trace->line = (size_t)(to - line);
}

void trace_commit(struct trace *trace)
{
	trace->calls++;
	if (trace->beyond > 0 || trace->bytes + trace->line > trace->maximum) {
		trace->beyond++; /* and so is every later one: the trace has no gaps */
		return;
	}
	trace->bytes += trace->line;
	trace->length += trace->line;
}
