/* Lines out of a stream that arrives in any pieces, and output that never waits. */
#include "../control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

static struct control *control;
static int worker;

static void open_pair(void)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	control = calloc(1, sizeof(*control));
	control->fd = pair[0];
	worker = pair[1];
}

static void close_pair(void)
{
	close(control->fd);
	close(worker);
	free(control);
}

static void say(const char *bytes, size_t length)
{
	CHECK(send(worker, bytes, length, MSG_NOSIGNAL) == (ssize_t)length);
}

static bool next_is(const char *expected)
{
	const char *line;
	size_t length;

	return control_line(control, &line, &length) == CONTROL_LINE && length == strlen(expected) &&
	       memcmp(line, expected, length) == 0;
}

static enum control_read next(void)
{
	const char *line;
	size_t length;

	return control_line(control, &line, &length);
}

/* What was said before the hang-up does not end the wait, and a worker that stays does not hold it for ever. */
static void hang_up(void)
{
	char byte;

	open_pair();
	say("kill\nkill\n", 10);
	shutdown(worker, SHUT_WR);
	control_wait_for_hang_up(control, 60000);
	CHECK(recv(control->fd, &byte, 1, MSG_DONTWAIT) == 0);
	close_pair();

	open_pair();
	say("kill\n", 5);
	control_wait_for_hang_up(control, 1);
	CHECK(recv(control->fd, &byte, 1, MSG_DONTWAIT) < 0);
	close_pair();
}

static void pieces(void)
{
	open_pair();
	CHECK(next() == CONTROL_AGAIN);
	say("on", 2);
	CHECK(next() == CONTROL_AGAIN);
	say("e\n\ntwo\nthr", 10);
	CHECK(next_is("one"));
	CHECK(next_is(""));
	CHECK(next_is("two"));
	CHECK(next() == CONTROL_AGAIN);
	say("ee\n", 3);
	CHECK(next_is("three"));
	/* What was sent before the hang-up is still said. */
	say("last\nunfinished", 15);
	shutdown(worker, SHUT_WR);
	CHECK(next_is("last"));
	CHECK(next() == CONTROL_LOST);
	close_pair();
}


static void too_long(void)
{
	static char filler[4096];
	enum control_read result = CONTROL_AGAIN;
	size_t sent = 0;

	open_pair();
	memset(filler, 'x', sizeof(filler));
	while (result == CONTROL_AGAIN && sent < 2 * MAX_LINE) {
		say(filler, sizeof(filler));
		sent += sizeof(filler);
		result = next();
	}
	CHECK(result == CONTROL_LOST && sent == MAX_LINE);
	close_pair();
}

/* A worker that does not read: nothing waits, and all of it arrives in the end. */
static void slow_worker(void)
{
	static char buffer[65536];
	int small = 4096;
	const int lines = MAX_OUTPUT / 64; /* far more than the socket takes */
	size_t expected = 0, got = 0;

	open_pair();
	CHECK(setsockopt(control->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
	for (int i = 0; i < lines; i++)
		control_printf(control, "denial %d of a payload that is denied very much\n", i);
	CHECK(control_pending(control) && !control->lost);
	for (int i = 0; i < lines; i++)
		expected += (size_t)snprintf(buffer, sizeof(buffer), "denial %d of a payload that is denied very much\n", i);
	while (got < expected) {
		ssize_t length = recv(worker, buffer, sizeof(buffer), 0);

		CHECK(length > 0);
		if (length <= 0)
			break;
		got += (size_t)length;
		control_flush(control);
	}
	CHECK(got == expected && !control_pending(control) && !control->lost);
	CHECK(control_drain(control, 0));

	close(worker);
	control_printf(control, "nobody hears this\n");
	CHECK(control->lost && !control_drain(control, 0));
	worker = -1;
	close_pair();
}

void test_control(void)
{
	pieces();
	too_long();
	slow_worker();
	hang_up();
}
