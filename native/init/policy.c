/* Reading the policy: strict, every line either understood in full or refused. */
#include "policy.h"

#include <string.h>

#include "base64.h"

struct text {
	const char *start;
	size_t length;
};

struct name {
	const char *name; /* NULL: the end, and the value of what is not in the list */
	int value;
};

static const struct name resources[] = {
	{ "CPU", RLIMIT_CPU }, { "FSIZE", RLIMIT_FSIZE }, { "DATA", RLIMIT_DATA }, { "STACK", RLIMIT_STACK },
	{ "CORE", RLIMIT_CORE }, { "NPROC", RLIMIT_NPROC }, { "NOFILE", RLIMIT_NOFILE }, { "AS", RLIMIT_AS },
	{ "MEMLOCK", RLIMIT_MEMLOCK }, { NULL, -1 },
};

static bool equals(struct text text, const char *word)
{
	return text.length == strlen(word) && memcmp(text.start, word, text.length) == 0;
}

/* Cuts the next space-separated word off `rest`; an empty word where there is none. */
static struct text next_word(struct text *rest)
{
	const char *space = memchr(rest->start, ' ', rest->length);
	struct text word = { rest->start, space ? (size_t)(space - rest->start) : rest->length };
	size_t used = word.length + (space ? 1 : 0);

	rest->start += used;
	rest->length -= used;
	return word;
}

/* Decodes a string value into the policy's own memory; "-" is the empty string. NULL if it is not one. */
static const char *take_string(struct policy *policy, struct text value)
{
	char *string = policy->strings + policy->strings_used;
	size_t room = sizeof(policy->strings) - policy->strings_used;
	ssize_t length = 0;

	if (room > 0 && !equals(value, "-"))
		length = base64_decode(string, room - 1, value.start, value.length);
	if (room == 0 || value.length == 0 || length < 0 || memchr(string, '\0', (size_t)length))
		return NULL;
	string[length] = '\0';
	policy->strings_used += (size_t)length + 1;
	return string;
}

static bool append_string(struct policy *policy, const char **list, size_t *count, struct text value)
{
	if (*count == MAX_STRINGS || !(list[*count] = take_string(policy, value)))
		return false;
	++*count;
	return true;
}

static bool take_environment(struct policy *policy, struct text value)
{
	const char **variable = &policy->environment[policy->environment_count];

	return append_string(policy, policy->environment, &policy->environment_count, value) &&
	       (*variable)[0] != '=' && strchr(*variable, '=');
}

/* An absolute path, once. */
static bool take_place(struct policy *policy, const char **place, struct text value)
{
	return !*place && (*place = take_string(policy, value)) && (*place)[0] == '/';
}

static bool take_program(struct program *program, struct text value, bool (*is_valid)(const struct program *))
{
	ssize_t length;

	if (program->length > 0)
		return false;
	length = base64_decode(program->instructions, sizeof(program->instructions), value.start, value.length);
	if (length <= 0 || length % (ssize_t)sizeof(struct sock_filter) != 0)
		return false;
	program->length = (size_t)length / sizeof(struct sock_filter);
	return is_valid(program);
}

/* At most 18 digits, which cannot overflow, without leading zeros. */
static bool take_number(struct text word, uint64_t *number)
{
	if (word.length == 0 || word.length > 18 || (word.length > 1 && word.start[0] == '0'))
		return false;
	*number = 0;
	for (size_t i = 0; i < word.length; i++) {
		if (word.start[i] < '0' || word.start[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(word.start[i] - '0');
	}
	return true;
}

static bool take_limit(struct text word, rlim_t *limit)
{
	if (!equals(word, "unlimited"))
		return take_number(word, limit);
	*limit = RLIM_INFINITY;
	return true;
}

static int find(const struct name *names, struct text word)
{
	while (names->name && !equals(word, names->name))
		names++;
	return names->value;
}

static bool take_rlimit(struct policy *policy, struct text value)
{
	struct policy_rlimit *rlimit = &policy->rlimits[policy->rlimit_count];

	if (policy->rlimit_count == MAX_RLIMITS || (rlimit->resource = find(resources, next_word(&value))) < 0)
		return false;
	/* What is left is one word: take_limit accepts no space. */
	if (!take_limit(next_word(&value), &rlimit->limit.rlim_cur) || !take_limit(value, &rlimit->limit.rlim_max) ||
	    rlimit->limit.rlim_cur > rlimit->limit.rlim_max)
		return false;
	policy->rlimit_count++;
	return true;
}

/* A non-empty subset of POLICY_RIGHTS in its order; 0 where it is none. */
static unsigned rights(struct text word)
{
	unsigned found = 0;
	size_t used = 0;

	for (unsigned i = 0; POLICY_RIGHTS[i] != '\0'; i++)
		if (used < word.length && word.start[used] == POLICY_RIGHTS[i]) {
			found |= 1U << i;
			used++;
		}
	return used == word.length ? found : 0;
}

static bool take_path(struct policy *policy, struct text value)
{
	struct policy_path *path = &policy->paths[policy->path_count];

	if (policy->path_count == MAX_PATHS)
		return false;
	path->rights = rights(next_word(&value));
	path->path = take_string(policy, value);
	policy->path_count++;
	return path->rights != 0 && path->path && path->path[0] == '/';
}

static bool take_trace(struct policy *policy, struct text value)
{
	return policy->trace_maximum == 0 && take_number(value, &policy->trace_maximum) && policy->trace_maximum > 0;
}

static bool complete(const struct policy *policy)
{
	return policy->argument_count > 0 && policy->arguments[0][0] != '\0' && policy->directory &&
	       policy->filter.length > 0 && policy->answer.length > 0 && (policy->landlock || policy->path_count == 0);
}

static bool take_line(struct policy *policy, struct text line)
{
	struct text value = line, keyword = next_word(&value);

	if (!policy->begun) return policy->begun = equals(line, "policy 5");
	if (equals(line, "landlock")) return !policy->landlock && (policy->landlock = true);
	if (equals(keyword, "arg")) return append_string(policy, policy->arguments, &policy->argument_count, value);
	if (equals(keyword, "env")) return take_environment(policy, value);
	if (equals(keyword, "dir")) return take_place(policy, &policy->directory, value);
	if (equals(keyword, "stdin")) return take_place(policy, &policy->standard_input, value);
	if (equals(keyword, "rlimit")) return take_rlimit(policy, value);
	if (equals(keyword, "path")) return take_path(policy, value);
	if (equals(keyword, "trace")) return take_trace(policy, value);
	if (equals(keyword, "filter")) return take_program(&policy->filter, value, filter_valid);
	if (equals(keyword, "answer")) return take_program(&policy->answer, value, answer_valid);
	return false;
}

enum policy_step policy_line(struct policy *policy, const char *line, size_t length)
{
	struct text text = { line, length };

	if (policy->begun && equals(text, "end"))
		return complete(policy) ? POLICY_COMPLETE : POLICY_INVALID;
	return take_line(policy, text) ? POLICY_MORE : POLICY_INVALID;
}
