/* Reads with process_vm_readv, which needs no right beyond being of the same user and an ancestor. */
#include "detail.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "shapes.h"

/* No page is smaller, and what is readable ends at one's end. */
#define PAGE 4096UL

/* Reads what there is of `length` bytes, at most a page. Returns how many, 0 where there are none. */
static size_t read_memory(pid_t tid, uint64_t address, void *to, size_t length)
{
	size_t first = PAGE - address % PAGE;
	struct iovec here = { to, length };
	struct iovec there[2] = { { (void *)(uintptr_t)address, first < length ? first : length } };
	ssize_t got;

	there[1].iov_base = (void *)(uintptr_t)(address + there[0].iov_len);
	there[1].iov_len = length - there[0].iov_len;
	got = process_vm_readv(tid, &here, 1, there, 2, 0);
	return got > 0 ? (size_t)got : 0;
}

static void read_path(struct pointed *to, pid_t tid, uint64_t address)
{
	char path[MAX_POINTED + 1];
	size_t got = read_memory(tid, address, path, sizeof(path));
	size_t length = strnlen(path, got);

	/* A short read without an end is a path that the kernel could not read either. */
	to->kind = length < got ? POINTED_PATH : got == sizeof(path) ? POINTED_CUT : POINTED_UNREADABLE;
	to->length = to->kind == POINTED_UNREADABLE ? 0 : (uint16_t)(length < MAX_POINTED ? length : MAX_POINTED);
	memcpy(to->bytes, path, to->length);
}

static void read_address(struct pointed *to, pid_t tid, uint64_t address, uint32_t length)
{
	bool readable = length <= sizeof(struct sockaddr_storage) && read_memory(tid, address, to->bytes, length) == length;

	to->kind = readable ? POINTED_ADDRESS : POINTED_UNREADABLE;
	to->length = readable ? (uint16_t)length : 0;
}

void detail_read(struct call *call, pid_t tid, bool native)
{
	struct call_shape shape = native ? call_shape((uint32_t)call->data.nr) : (struct call_shape){ 0 };
	const __u64 *args = call->data.args;

	call->scalars = shape.scalars;
	call->pointed_count = 0;
	for (uint8_t i = 0; (shape.paths | shape.address) >> i != 0; i++) {
		struct pointed *to = &call->pointed[call->pointed_count];

		to->argument = i;
		if (shape.paths & 1 << i)
			read_path(to, tid, args[i]);
		else if (shape.address & 1 << i && args[i] != 0) /* sendto may have no destination */
			read_address(to, tid, args[i], (uint32_t)args[i + 1]);
		else
			continue;
		call->pointed_count++;
	}
}
