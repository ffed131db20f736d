/* The paths and addresses of recordings of kind `files`, on their way from the ring buffer to `file` and `socket` lines. */
#include "files.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_lines.h"
#include "files_layout.h"
#include "programs.h"
#include "resolve.h"

/* Paths of one recording, in bytes. */
#define MAX_KEPT_BYTES (16U << 20)

struct kept_use {
	struct file_use_key key;
	bool resolved;
	size_t length;
	char *bytes; /* NULL: there was no room for them */
};

struct kept_files {
	bool on;
	struct resolver resolver;
	struct kept_use *uses;
	size_t count;
	size_t room;
	size_t bytes;
};

static struct kept_files recordings[MAX_RECORDINGS];
static struct ring_buffer *ring;

/* False when there is no room, for the use or for its bytes. */
static bool keep(struct kept_files *files, const struct file_use_key *key, bool resolved, const char *bytes, size_t length)
{
	char *copy = files->bytes + length > MAX_KEPT_BYTES ? NULL : malloc(length);

	if (files->count == files->room) {
		size_t room = files->room == 0 ? 64 : files->room * 2;
		struct kept_use *uses = realloc(files->uses, room * sizeof *uses);

		if (!uses) {
			free(copy);
			return false;
		}
		files->uses = uses;
		files->room = room;
	}
	files->uses[files->count++] = (struct kept_use){ *key, resolved, length, copy };
	if (!copy)
		return false;
	memcpy(copy, bytes, length);
	files->bytes += length;
	return true;
}

/* What later names can be understood by. */
static void learn(struct resolver *resolver, const struct file_use_key *key, const char *path, size_t length)
{
	if (key->flags & EVENT_SYMLINK)
		path_set_add(&resolver->symlinks, path, length);
	else if (key->access & (ACCESS_RENAME_FROM | ACCESS_LINK))
		resolver->symlinks_moved |= path_set_has(&resolver->symlinks, path, length);
	else if (!(key->flags & EVENT_TEXT) || key->access & ACCESS_CREATE)
		path_set_add_all(&resolver->seen, path, length);
}

/* The path of the event, and whether it is more than the text that was asked for. */
static size_t path_of_event(struct resolver *resolver, const struct file_event *event, const char *bytes,
			    char path[MAX_JOINED_BYTES], bool *resolved)
{
	struct name_request request = {
		.root = { bytes, event->root_length },
		.base = { bytes + event->root_length, event->base_length },
		.text = { bytes + event->root_length + event->base_length, event->text_length },
		.follow = event->key.flags & EVENT_FOLLOW,
	};
	ssize_t length = -1;

	*resolved = true;
	if (!(event->key.flags & EVENT_TEXT))
		return append(path, append(path, 0, request.base), request.text);
	if (!(event->key.flags & EVENT_OPAQUE))
		length = resolve_name(resolver, &request, event->key.error == 0, path);
	*resolved = length >= 0;
	return length >= 0 ? (size_t)length : join_name(&request, path);
}

static int take_event(void *context, void *data, size_t size)
{
	const struct file_event *event = data;
	const char *bytes = (const char *)(event + 1);
	struct kept_files *files = &recordings[event->key.slot % MAX_RECORDINGS];
	struct recording_state *state = programs_recording(event->key.slot % MAX_RECORDINGS);
	static char path[MAX_JOINED_BYTES];
	size_t length = event->text_length;
	bool resolved = true;

	(void)context;
	(void)size;
	if (!files->on)
		return 0;
	if (!(event->key.flags & EVENT_ADDRESS)) {
		length = path_of_event(&files->resolver, event, bytes, path, &resolved);
		bytes = path;
		if (resolved && event->key.error == 0)
			learn(&files->resolver, &event->key, path, length);
		if (length == 0)
			path[length++] = '/';
	}
	if (!resolved && event->key.error == 0)
		__atomic_fetch_add(&state->unresolved, 1, __ATOMIC_RELAXED);
	if (!keep(files, &event->key, resolved, bytes, length))
		__atomic_fetch_add(&state->overflows, 1, __ATOMIC_RELAXED);
	return 0;
}

bool files_open(void)
{
	ring = ring_buffer__new(programs_map("file_events"), take_event, NULL, NULL);
	return ring != NULL;
}

void files_close(void)
{
	ring_buffer__free(ring);
	ring = NULL;
}

int files_fd(void)
{
	return ring_buffer__epoll_fd(ring);
}

void files_drain(void)
{
	ring_buffer__consume(ring);
}

bool files_arm(unsigned int slot, int pid)
{
	struct kept_files *files = &recordings[slot];

	*files = (struct kept_files){ .on = false };
	files->on = resolver_open(&files->resolver, pid);
	return files->on;
}

/* One line for each access of a use. Returns how many; false in `complete` when the kernel does not give all counts. */
static size_t lines_of(const struct kept_files *files, struct file_line *lines, bool *complete)
{
	int map = programs_map("file_uses");
	size_t count = 0;

	for (size_t at = 0; at < files->count; at++) {
		const struct kept_use *use = &files->uses[at];
		unsigned long long calls;

		if (!use->bytes)
			continue;
		if (bpf_map_lookup_elem(map, &use->key, &calls)) {
			*complete = false;
			continue;
		}
		for (unsigned int access = 1; access <= use->key.access; access <<= 1) {
			if (use->key.access & access)
				lines[count++] = (struct file_line){ access, use->key.error, use->resolved, calls, use->bytes,
								     use->length };
		}
	}
	return count;
}

bool files_write(const char *id, unsigned int slot)
{
	const struct kept_files *files = &recordings[slot];
	struct file_line *lines;
	bool complete = true;
	size_t room = 0;

	for (size_t at = 0; at < files->count; at++)
		room += (size_t)__builtin_popcount(files->uses[at].key.access);
	if (room == 0)
		return true;
	lines = malloc(room * sizeof *lines);
	if (!lines)
		return false;
	write_file_lines(id, lines, lines_of(files, lines, &complete));
	free(lines);
	return complete;
}

void files_remove(unsigned int slot)
{
	struct kept_files *files = &recordings[slot];
	int map = programs_map("file_uses");

	if (!files->on)
		return;
	for (size_t at = 0; at < files->count; at++) {
		bpf_map_delete_elem(map, &files->uses[at].key);
		free(files->uses[at].bytes);
	}
	free(files->uses);
	resolver_close(&files->resolver);
	*files = (struct kept_files){ .on = false };
}
