/* The text of the trace, byte by byte, and where it ends. */
#include "../trace.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "test.h"

static struct trace trace;
static struct call call;

static void point_to(enum pointed_kind kind, int argument, const char *bytes, size_t length)
{
	struct pointed *pointed = &call.pointed[call.pointed_count++];

	*pointed = (struct pointed){ .kind = (uint8_t)kind, .argument = (uint8_t)argument, .length = (uint16_t)length };
	memcpy(pointed->bytes, bytes, length);
}

static void begin(uint64_t maximum)
{
	memset(&trace, 0, sizeof(trace));
	memset(&call, 0, sizeof(call));
	trace.maximum = maximum;
	call.data.nr = 257;
}

static bool text_is(const char *expected)
{
	return trace.length == strlen(expected) && memcmp(trace.text, expected, trace.length) == 0;
}

static void lines(void)
{
	begin(100000);
	call.data.args[0] = 0xffffff9c;
	call.data.args[5] = UINT64_MAX;
	point_to(POINTED_PATH, 1, "/a b\\\n\xff~", 8);
	point_to(POINTED_UNREADABLE, 3, "", 0);
	trace_prepare(&trace, 12000034, 7, &call);
	CHECK(trace.length == 0);
	trace_commit(&trace);
	CHECK(text_is("12.000034 7 257 0xffffff9c 0x0 0x0 0x0 0x0 0xffffffffffffffff path:1:/a\\x20b\\x5c\\x0a\\xff~ unreadable:3:\n"));

	begin(100000);
	call.data.nr = -1;
	point_to(POINTED_ADDRESS, 1, "\002\0PA", 4);
	trace_prepare(&trace, 0, 4194304, &call);
	trace_commit(&trace);
	CHECK(text_is("0.000000 4194304 4294967295 0x0 0x0 0x0 0x0 0x0 0x0 address:1:\\x02\\x00\\x50\\x41\n"));

	/* What was prepared and not committed leaves no trace. */
	trace_prepare(&trace, 0, 1, &call);
	call.pointed_count = 0;
	trace_prepare(&trace, 1, 1, &call);
	trace_commit(&trace);
	CHECK(trace.calls == 2 && trace.beyond == 0 && trace.bytes == trace.length);
	CHECK(memcmp(trace.text + trace.length - 3, "x0\n", 3) == 0);
}

/* The longest line there is stays within its bound. */
static void longest(void)
{
	static char bytes[MAX_POINTED];

	begin(100000);
	memset(bytes, 1, sizeof(bytes));
	memset(call.data.args, 0xff, sizeof(call.data.args));
	call.data.nr = -1;
	point_to(POINTED_CUT, 5, bytes, sizeof(bytes));
	point_to(POINTED_CUT, 5, bytes, sizeof(bytes));
	trace_prepare(&trace, INT64_MAX, INT32_MAX, &call);
	CHECK(trace.line > 8 * MAX_POINTED && trace.line <= MAX_TRACE_LINE);
	while (trace_has_room(&trace)) {
		trace_prepare(&trace, INT64_MAX, INT32_MAX, &call);
		trace_commit(&trace);
	}
	CHECK(trace.length <= sizeof(trace.text) && trace.calls == trace.length / trace.line);
}

/* After the first line that has no room no shorter one is written: the trace has no gaps. */
static void maximum(void)
{
	begin(150);
	for (int i = 0; i < 10; i++) {
		if (i == 2)
			point_to(POINTED_PATH, 1, "/long/enough/to/be/over/it", 26);
		if (i == 3)
			call.pointed_count = 0;
		CHECK((trace.beyond == 0) == (i <= 2));
		if (trace.beyond == 0)
			trace_prepare(&trace, i, 1, &call);
		trace_commit(&trace);
	}
	CHECK(trace.calls == 10 && trace.beyond == 8 && trace.bytes == trace.length && trace.bytes <= 150);
}

void test_trace(void)
{
	lines();
	longest();
	maximum();
}
