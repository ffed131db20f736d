/* Names and paths as bytes: joined and taken apart, without looking at any file. */
#include "name.h"

#include <string.h>

static const struct part SLASH = { "/", 1 };

bool is_absolute(struct part text)
{
	return text.length > 0 && text.bytes[0] == '/';
}

bool begins_with(struct part text, const char *start)
{
	size_t length = strlen(start);

	return text.length >= length && !memcmp(text.bytes, start, length);
}

static bool equals(struct part text, const char *other)
{
	return text.length == strlen(other) && begins_with(text, other);
}

size_t append(char path[MAX_JOINED_BYTES], size_t length, struct part part)
{
	size_t room = MAX_JOINED_BYTES - 1 - length;
	size_t taken = part.length < room ? part.length : room;

	if (taken > 0)
		memcpy(path + length, part.bytes, taken);
	path[length + taken] = '\0';
	return length + taken;
}

size_t append_name(char path[MAX_JOINED_BYTES], size_t length, struct part name)
{
	return append(path, append(path, length, SLASH), name);
}

size_t remove_name(char path[MAX_JOINED_BYTES], size_t length, size_t least)
{
	while (length > least && path[--length] != '/')
		;
	path[length] = '\0';
	return length;
}

size_t join_name(const struct name_request *request, char path[MAX_JOINED_BYTES])
{
	if (is_absolute(request->text))
		return append(path, append(path, 0, request->root), request->text);
	return append_name(path, append(path, 0, request->base), request->text);
}

bool below(struct part root, struct part path, struct part *rest)
{
	if (path.length < root.length || memcmp(path.bytes, root.bytes, root.length))
		return false;
	*rest = (struct part){ path.bytes + root.length, path.length - root.length };
	return rest->length == 0 || rest->bytes[0] == '/';
}

bool next_name(struct part *text, struct part *name)
{
	do {
		const char *slash = text->length == 0 ? NULL : memchr(text->bytes, '/', text->length);
		size_t length = slash ? (size_t)(slash - text->bytes) : text->length;
		size_t taken = slash ? length + 1 : length;

		if (text->length == 0)
			return false;
		*name = (struct part){ text->bytes, length };
		*text = (struct part){ text->bytes + taken, text->length - taken };
	} while (name->length == 0 || equals(*name, "."));
	return true;
}

struct part split_name(struct part text, struct part *name)
{
	size_t end = text.length;
	size_t start;

	while (end > 0 && text.bytes[end - 1] == '/')
		end--;
	for (start = end; start > 0 && text.bytes[start - 1] != '/'; start--)
		;
	*name = (struct part){ text.bytes + start, end - start };
	if (!equals(*name, ".") && !equals(*name, "..") && name->length > 0)
		return (struct part){ text.bytes, start };
	name->length = 0;
	return text;
}
