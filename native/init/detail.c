/* Reads through /proc/TID/mem, which needs no right beyond being of the same user and an ancestor. */
#include "detail.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base64.h"

static void append(struct denial *denial, const char *kind, int argument, const void *bytes, size_t length)
{
	char *to = denial->detail + denial->detail_length;

	to += sprintf(to, " %s:%d:", kind, argument);
	if (length == 0)
		*to++ = '-';
	else
		to += base64_encode(to, bytes, length);
	denial->detail_length = (size_t)(to - denial->detail);
}

static void read_path(struct denial *denial, int memory, int argument)
{
	char path[MAX_STRING_READ];
	ssize_t got = pread(memory, path, sizeof(path), (off_t)denial->data.args[argument]);
	size_t length = got > 0 ? strnlen(path, (size_t)got) : 0;

	/* A short read without an end is a path that the kernel could not read either. */
	if (got <= 0 || (length == (size_t)got && got < (ssize_t)sizeof(path)))
		append(denial, "unreadable", argument, NULL, 0);
	else
		append(denial, "path", argument, path, length);
}

static void read_address(struct denial *denial, int memory, int argument)
{
	char address[sizeof(struct sockaddr_storage)];
	uint32_t length = (uint32_t)denial->data.args[argument + 1];

	if (denial->data.args[argument] == 0)
		return; /* sendto without a destination */
	if (length > sizeof(address) ||
	    pread(memory, address, length, (off_t)denial->data.args[argument]) != (ssize_t)length)
		append(denial, "unreadable", argument, NULL, 0);
	else
		append(denial, "address", argument, address, length);
}

void detail_read(struct denial *denial, pid_t tid, bool native)
{
	struct call_shape shape = native ? call_shape((uint32_t)denial->data.nr) : (struct call_shape){ 0 };
	char name[32];
	int memory;

	denial->scalars = shape.scalars;
	denial->detail_length = 0;
	if ((shape.paths | shape.address) == 0)
		return;
	snprintf(name, sizeof(name), "/proc/%d/mem", tid);
	memory = open(name, O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 6; i++) {
		if (shape.paths & 1 << i)
			read_path(denial, memory, i);
		if (shape.address & 1 << i)
			read_address(denial, memory, i);
	}
	if (memory >= 0)
		close(memory);
}
