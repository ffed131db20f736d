/* The control socket: non-blocking, close-on-exec, no SIGPIPE. */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

bool control_connect(struct control *control, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(address.sun_path, path);
	/* Connecting waits: a full backlog on the worker's side is not an error. */
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return control->fd >= 0 && connect(control->fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

enum control_read control_line(struct control *control, const char **line, size_t *length)
{
	/* The line last given out stayed where it was until now. */
	control->input_length -= control->line_length;
	memmove(control->input, control->input + control->line_length, control->input_length);
	control->line_length = 0;
	for (;;) {
		char *end = memchr(control->input, '\n', control->input_length);
		size_t room = sizeof(control->input) - control->input_length;
		ssize_t got;

		if (end) {
			*line = control->input;
			*length = (size_t)(end - control->input);
			control->line_length = *length + 1;
			return CONTROL_LINE;
		}
		if (room == 0)
			return CONTROL_LOST;
		got = recv(control->fd, control->input + control->input_length, room, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return CONTROL_AGAIN;
		if (got <= 0)
			return CONTROL_LOST;
		control->input_length += (size_t)got;
	}
}

bool control_pending(const struct control *control)
{
	return control->output_sent < control->output_length;
}

void control_flush(struct control *control)
{
	while (control_pending(control)) {
		ssize_t sent = send(control->fd, control->output + control->output_sent,
				    control->output_length - control->output_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			control->lost |= errno != EAGAIN;
			return;
		}
		control->output_sent += (size_t)sent;
	}
	control->output_sent = control->output_length = 0;
}

void control_printf(struct control *control, const char *format, ...)
{
	size_t room = sizeof(control->output) - control->output_length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(control->output + control->output_length, room, format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < room)
		control->output_length += (size_t)length;
	else
		control->lost = true; /* not reached: MAX_OUTPUT is the sum of all that is ever queued */
	control_flush(control);
}

bool control_drain(struct control *control, int timeout_ms)
{
	struct pollfd writable = { .fd = control->fd, .events = POLLOUT };

	do
		control_flush(control);
	while (control_pending(control) && !control->lost && poll(&writable, 1, timeout_ms) > 0);
	return !control_pending(control) && !control->lost;
}

void control_wait_for_hang_up(struct control *control, int timeout_ms)
{
	struct pollfd readable = { .fd = control->fd, .events = POLLIN };
	char ignored[256];

	while (poll(&readable, 1, timeout_ms) > 0 && recv(control->fd, ignored, sizeof(ignored), 0) > 0)
		continue;
}
