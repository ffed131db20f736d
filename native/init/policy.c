/* Reading the policy: strict, every line either understood in full or refused. */
#include "policy.h"

#include <string.h>

#include "base64.h"

struct text {
	const char *start;
	size_t length;
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

	if (room == 0 || value.length == 0)
		return NULL;
	if (!equals(value, "-"))
		length = base64_decode(string, room - 1, value.start, value.length);
	if (length < 0 || memchr(string, '\0', (size_t)length))
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
	size_t at = policy->environment_count;

	if (!append_string(policy, policy->environment, &policy->environment_count, value))
		return false;
	const char *equals_sign = strchr(policy->environment[at], '=');

	return equals_sign && equals_sign != policy->environment[at];
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

static bool take_limit(struct text word, rlim_t *limit)
{
	rlim_t value = 0;

	if (equals(word, "unlimited")) {
		*limit = RLIM_INFINITY;
		return true;
	}
	if (word.length == 0 || word.length > 18)
		return false; /* 18 digits cannot overflow 64 bits */
	for (size_t i = 0; i < word.length; i++) {
		if (word.start[i] < '0' || word.start[i] > '9')
			return false;
		value = value * 10 + (rlim_t)(word.start[i] - '0');
	}
	*limit = value;
	return true;
}

static int rlimit_resource(struct text name)
{
	static const struct {
		const char *name;
		int resource;
	} resources[] = {
		{ "CPU", RLIMIT_CPU },     { "FSIZE", RLIMIT_FSIZE }, { "DATA", RLIMIT_DATA },
		{ "STACK", RLIMIT_STACK }, { "CORE", RLIMIT_CORE },   { "NPROC", RLIMIT_NPROC },
		{ "NOFILE", RLIMIT_NOFILE }, { "AS", RLIMIT_AS },     { "MEMLOCK", RLIMIT_MEMLOCK },
	};

	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++)
		if (equals(name, resources[i].name))
			return resources[i].resource;
	return -1;
}

static bool take_rlimit(struct policy *policy, struct text value)
{
	struct policy_rlimit *rlimit = &policy->rlimits[policy->rlimit_count];

	if (policy->rlimit_count == MAX_RLIMITS)
		return false;
	rlimit->resource = rlimit_resource(next_word(&value));
	if (rlimit->resource < 0 || !take_limit(next_word(&value), &rlimit->limit.rlim_cur))
		return false;
	/* What is left is one word: take_limit accepts no space. */
	if (!take_limit(value, &rlimit->limit.rlim_max) || rlimit->limit.rlim_cur > rlimit->limit.rlim_max)
		return false;
	policy->rlimit_count++;
	return true;
}

static bool take_enforcement(struct policy *policy, struct text value)
{
	static const char *const words[] = { "none", "audit", "enforce" };

	if (policy->has_enforcement)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (equals(value, words[i])) {
			policy->enforcement = (enum enforcement)i;
			policy->has_enforcement = true;
		}
	return policy->has_enforcement;
}

static bool take_directory(struct policy *policy, struct text value)
{
	if (policy->directory || !(policy->directory = take_string(policy, value)))
		return false;
	return policy->directory[0] == '/';
}

static bool complete(const struct policy *policy)
{
	return policy->argument_count > 0 && policy->arguments[0][0] != '\0' && policy->directory &&
	       policy->has_enforcement && policy->filter.length > 0 && policy->answer.length > 0;
}

static bool take_field(struct policy *policy, struct text keyword, struct text value)
{
	if (equals(keyword, "arg"))
		return append_string(policy, policy->arguments, &policy->argument_count, value);
	if (equals(keyword, "env"))
		return take_environment(policy, value);
	if (equals(keyword, "dir"))
		return take_directory(policy, value);
	if (equals(keyword, "rlimit"))
		return take_rlimit(policy, value);
	if (equals(keyword, "enforcement"))
		return take_enforcement(policy, value);
	if (equals(keyword, "filter"))
		return take_program(&policy->filter, value, filter_valid);
	if (equals(keyword, "answer"))
		return take_program(&policy->answer, value, answer_valid);
	return false;
}

enum policy_step policy_line(struct policy *policy, const char *line, size_t length)
{
	struct text value = { line, length };
	struct text keyword;

	if (!policy->begun) {
		policy->begun = equals(value, "policy 1");
		return policy->begun ? POLICY_MORE : POLICY_INVALID;
	}
	if (equals(value, "end"))
		return complete(policy) ? POLICY_COMPLETE : POLICY_INVALID;
	keyword = next_word(&value);
	return take_field(policy, keyword, value) ? POLICY_MORE : POLICY_INVALID;
}
