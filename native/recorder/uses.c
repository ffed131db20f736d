/* The uses and refusals of calls that the kernel has deduplicated: read out and taken away. */
#include "uses.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

#include "layout.h"
#include "programs.h"

/* The kernel gives whole hash buckets; its seed is random, so that no payload makes one of this many. */
#define BATCH 1024

static void write_use(const char *id, const struct use_key *key, unsigned long long count)
{
	const volatile struct aware_call *call = programs_aware(key->number);

	if (key->refused) {
		printf("refused %s %u %u %llu\n", id, key->number, key->error, count);
		return;
	}
	printf("use %s %u %u %llu ", id, key->number, key->error, count);
	for (unsigned int at = 0; at < call->count; at++)
		printf("%s%u:0x%llx", at == 0 ? "" : ",", call->arguments[at], key->values[at]);
	puts(call->count == 0 ? "-" : "");
}

/* Visits every entry of the slot; `visit` may delete it. */
static bool each_use(unsigned int slot, void (*visit)(const struct use_key *key, unsigned long long count, void *context),
		     void *context)
{
	static struct use_key keys[BATCH];
	static unsigned long long values[BATCH];
	int map = programs_map("uses");
	unsigned int position = 0;
	void *from = NULL;

	for (;;) {
		__u32 length = BATCH;
		int error = bpf_map_lookup_batch(map, from, &position, keys, values, &length, NULL);

		if (error && error != -ENOENT)
			return false;
		for (__u32 at = 0; at < length; at++) {
			if (keys[at].slot == slot)
				visit(&keys[at], values[at], context);
		}
		if (error)
			return true;
		from = &position;
	}
}

static void write_visited(const struct use_key *key, unsigned long long count, void *id)
{
	write_use(id, key, count);
}

static void remove_visited(const struct use_key *key, unsigned long long count, void *map)
{
	(void)count;
	bpf_map_delete_elem(*(int *)map, key);
}

bool uses_write(const char *id, unsigned int slot)
{
	return programs_recording(slot)->uses == 0 || each_use(slot, write_visited, (void *)id);
}

void uses_remove(unsigned int slot)
{
	int map = programs_map("uses");

	if (programs_recording(slot)->uses > 0)
		each_use(slot, remove_visited, &map);
}
