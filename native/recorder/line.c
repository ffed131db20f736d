/* The command lines of docs/recorder-protocol.md, parsed without any effect. */
#include "line.h"

#include <string.h>

static const struct {
	const char *name;
	enum command_kind kind;
} COMMANDS[] = {
	{ "arm", COMMAND_ARM },
	{ "read", COMMAND_READ },
	{ "finish", COMMAND_FINISH },
	{ "disarm", COMMAND_DISARM },
};

static const struct {
	const char *name;
	enum recording_kind kind;
} KINDS[] = {
	{ "syscalls", KIND_SYSCALLS },
	{ "arguments", KIND_ARGUMENTS },
	{ "files", KIND_FILES },
};

struct word {
	const char *start;
	size_t length;
};

static bool is_word(struct word word, const char *text)
{
	return strlen(text) == word.length && !memcmp(text, word.start, word.length);
}

/* Words are separated by exactly one space. Returns their number, or -1 for more than `limit` or an empty word. */
static int split(const char *line, size_t length, struct word *words, int limit)
{
	int count = 0;
	size_t start = 0;

	for (size_t at = 0; at <= length; at++) {
		if (at < length && line[at] != ' ')
			continue;
		if (at == start || count == limit)
			return -1;
		words[count++] = (struct word){ line + start, at - start };
		start = at + 1;
	}
	return count;
}

static bool parse_id(struct word word, char *id)
{
	if (word.length > MAX_ID)
		return false;
	for (size_t at = 0; at < word.length; at++) {
		char c = word.start[at];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	memcpy(id, word.start, word.length);
	id[word.length] = '\0';
	return true;
}

/* A decimal number from 1 to 2^30 without a leading zero: the kernel's pids end at 2^22. */
static bool parse_pid(struct word word, int *pid)
{
	long value = 0;

	if (word.length > 10 || word.start[0] == '0')
		return false;
	for (size_t at = 0; at < word.length; at++) {
		if (word.start[at] < '0' || word.start[at] > '9')
			return false;
		value = value * 10 + (word.start[at] - '0');
	}
	if (value > 1L << 30)
		return false;
	*pid = (int)value;
	return true;
}

static bool parse_kind(struct word word, enum recording_kind *kind)
{
	for (size_t at = 0; at < sizeof KINDS / sizeof KINDS[0]; at++) {
		if (is_word(word, KINDS[at].name)) {
			*kind = KINDS[at].kind;
			return true;
		}
	}
	return false;
}

const char *parse_command(const char *line, size_t length, struct command *command, const char **message)
{
	struct word words[4];
	int count = split(line, length, words, 4);
	int wanted;

	if (count < 1) {
		*message = "a line is a command and its arguments, with one space between";
		return "bad-line";
	}
	for (size_t at = 0; at < sizeof COMMANDS / sizeof COMMANDS[0]; at++) {
		if (!is_word(words[0], COMMANDS[at].name))
			continue;
		command->kind = COMMANDS[at].kind;
		wanted = command->kind == COMMAND_ARM ? 4 : 2;
		if (count != wanted) {
			*message = wanted == 4 ? "wanted an id, a pid and a kind" : "wanted an id";
			return "bad-line";
		}
		if (!parse_id(words[1], command->id)) {
			*message = "an id has 1 to 64 letters, digits, '-' or '_'";
			return "bad-argument";
		}
		if (wanted == 4 && !parse_pid(words[2], &command->pid)) {
			*message = "a pid is a positive decimal number";
			return "bad-argument";
		}
		if (wanted == 4 && !parse_kind(words[3], &command->recorded)) {
			*message = "kinds are syscalls, arguments and files";
			return "bad-argument";
		}
		return NULL;
	}
	*message = "commands are arm, read, finish and disarm";
	return "unknown-command";
}

bool line_take(struct line_reader *reader, char byte)
{
	if (byte == '\n')
		return true;
	if (reader->length == MAX_LINE)
		reader->oversized = true;
	else
		reader->bytes[reader->length++] = byte;
	return false;
}

void line_reset(struct line_reader *reader)
{
	reader->length = 0;
	reader->oversized = false;
}
