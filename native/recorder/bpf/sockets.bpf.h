/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses that sockets are connected to, bound to and sent to, as the process gave them. */

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define FAMILY_BYTES 2
#define INET_BYTES 16
#define INET_USED_BYTES 8 /* the rest is padding */
#define INET6_BYTES 28
#define MAX_MESSAGES 1024 /* UIO_MAXIOV */

/* Cuts what the kernel does not look at. Returns the length. */
static __always_inline u32 trim_address(struct scratch *scratch, u64 address, u32 length)
{
	char *bytes = &scratch->bytes[TEXT_AT];
	u16 family = *(u16 *)bytes;
	long path;

	if (family == AF_INET && length >= INET_BYTES) {
		*(u64 *)(bytes + INET_USED_BYTES) = 0;
		return INET_BYTES;
	}
	if (family == AF_INET6 && length > INET6_BYTES)
		return INET6_BYTES;
	if (family == AF_UNIX && length > FAMILY_BYTES && bytes[FAMILY_BYTES] != '\0') {
		path = bpf_probe_read_user_str(bytes + FAMILY_BYTES, length - FAMILY_BYTES + 1, (void *)(address + FAMILY_BYTES));
		if (path > 0)
			return FAMILY_BYTES + (u32)path - 1;
	}
	return length;
}

static __noinline void add_address(struct scratch *scratch, u64 address, u32 length)
{
	if (!address || length < FAMILY_BYTES || length > MAX_ADDRESS_BYTES)
		return;
	if (bpf_probe_read_user(&scratch->bytes[TEXT_AT], length, (void *)address)) {
		add_unresolved(scratch);
		return;
	}
	scratch->use.root_at = scratch->use.base_at = scratch->use.text_at = TEXT_AT;
	scratch->use.end = TEXT_AT + trim_address(scratch, address, length);
	scratch->use.flags = EVENT_ADDRESS;
	add_file_use(scratch);
}

/* A socket that is bound to a path is a new name. */
static __always_inline void add_bound_path(struct scratch *scratch, u64 address, u32 length)
{
	char *bytes = &scratch->bytes[TEXT_AT];

	if (scratch->use.error != 0 || length <= FAMILY_BYTES || length > MAX_ADDRESS_BYTES || *(u16 *)bytes != AF_UNIX ||
	    bytes[FAMILY_BYTES] == '\0')
		return;
	scratch->use.access = ACCESS_CREATE;
	scratch->use.flags = 0;
	add_name_of(scratch, address + FAMILY_BYTES, length - FAMILY_BYTES + 1, AT_FDCWD);
}

struct messages {
	struct scratch *scratch;
	u64 at;
	u32 left;
};

static long add_message(u32 index, struct messages *messages)
{
	struct {
		u64 address;
		u32 length;
	} name = {};

	if (messages->left == 0)
		return 1;
	if (bpf_probe_read_user(&name, sizeof name, (void *)messages->at))
		add_unresolved(messages->scratch);
	add_address(messages->scratch, name.address, name.length);
	messages->at += sizeof(struct mmsghdr);
	messages->left -= 1;
	return 0;
}

static __noinline void add_addresses(struct scratch *scratch, const struct pt_regs *registers, u32 kind, s64 result)
{
	struct messages messages = { .scratch = scratch, .at = argument_of(registers, 1), .left = 1 };

	switch (kind) {
	case CALL_CONNECT:
		scratch->use.access = ACCESS_CONNECT;
		add_address(scratch, argument_of(registers, 1), argument_of(registers, 2));
		break;
	case CALL_BIND:
		scratch->use.access = ACCESS_BIND;
		add_address(scratch, argument_of(registers, 1), argument_of(registers, 2));
		add_bound_path(scratch, argument_of(registers, 1), argument_of(registers, 2));
		break;
	case CALL_SEND:
		scratch->use.access = ACCESS_SEND;
		add_address(scratch, argument_of(registers, 4), argument_of(registers, 5));
		break;
	default:
		scratch->use.access = ACCESS_SEND;
		if (kind == CALL_SEND_MESSAGES && result > 0)
			messages.left = result;
		bpf_loop(MAX_MESSAGES, add_message, &messages, 0);
	}
}
