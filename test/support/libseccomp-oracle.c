/*
 * Builds a filter with libseccomp for the differential tests of Porin's own compiler (test/medium/filter.medium-spec.ts) and
 * of the export (test/medium/exchange.medium-spec.ts).
 *
 *   libseccomp-oracle resolve ARCH        standard input: names, one a line; prints "name number" (-1: libseccomp has none)
 *   libseccomp-oracle build ARCH          standard input: rules, one a line; prints struct sock_filter[] of a filter that
 *                                         allows what a rule matches and notifies about everything else
 *   libseccomp-oracle engine ARCH ERRNO   the same as container runtimes build it: everything else gets the errno, other
 *                                         architectures what libseccomp does with them. Each rule begins with "allow" or
 *                                         the errno that it answers with; names that libseccomp lacks are passed over
 *
 * A rule is "name" followed by up to six conditions "argument:comparison:value[:mask]", numbers in hexadecimal and the
 * comparison in libseccomp's words without SCMP_CMP_, all of which must hold. libseccomp compares 64 bits and nothing else,
 * so a condition on 32 bits must come as masked ones.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_CONDITIONS 6

static void fail(const char *what, const char *detail, int error)
{
	fprintf(stderr, "libseccomp-oracle: %s %s: %s\n", what, detail, strerror(error));
	exit(1);
}

static uint32_t parse_arch(const char *name)
{
	uint32_t arch = seccomp_arch_resolve_name(name);

	if (arch == 0)
		fail("unknown architecture", name, EINVAL);
	return arch;
}

static void resolve(uint32_t arch)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		printf("%s %d\n", line, seccomp_syscall_resolve_name_arch(arch, line));
	}
}

static enum scmp_compare parse_comparison(const char *name)
{
	static const struct {
		const char *name;
		enum scmp_compare value;
	} comparisons[] = {
		{ "NE", SCMP_CMP_NE }, { "LT", SCMP_CMP_LT }, { "LE", SCMP_CMP_LE }, { "EQ", SCMP_CMP_EQ },
		{ "GE", SCMP_CMP_GE }, { "GT", SCMP_CMP_GT }, { "MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};

	for (size_t index = 0; index < sizeof(comparisons) / sizeof(*comparisons); index++) {
		if (strcmp(name, comparisons[index].name) == 0)
			return comparisons[index].value;
	}
	fail("unknown comparison", name, EINVAL);
	return 0;
}

static struct scmp_arg_cmp parse_condition(const char *text)
{
	unsigned int argument;
	char comparison[16];
	unsigned long long value, mask = 0;
	int fields = sscanf(text, "%x:%15[A-Z_]:%llx:%llx", &argument, comparison, &value, &mask);

	if (fields < 3)
		fail("malformed condition", text, EINVAL);
	if (parse_comparison(comparison) == SCMP_CMP_MASKED_EQ)
		return (struct scmp_arg_cmp){ argument, SCMP_CMP_MASKED_EQ, mask, value };
	return (struct scmp_arg_cmp){ argument, parse_comparison(comparison), value, 0 };
}

static void add_rule(scmp_filter_ctx ctx, uint32_t action, char *name, int unknown_is_error)
{
	struct scmp_arg_cmp conditions[MAX_CONDITIONS];
	unsigned int count = 0;
	char *text;
	int number, error;

	if (name == NULL)
		return;
	/* Rules take this machine's numbers; libseccomp translates them to the filter's architecture by name. */
	number = seccomp_syscall_resolve_name(name);
	if (number == __NR_SCMP_ERROR && !unknown_is_error)
		return;
	if (number == __NR_SCMP_ERROR)
		fail("unknown system call", name, EINVAL);
	while ((text = strtok(NULL, " \n")) != NULL) {
		if (count == MAX_CONDITIONS)
			fail("too many conditions", text, EINVAL);
		conditions[count++] = parse_condition(text);
	}
	error = seccomp_rule_add_exact_array(ctx, action, number, count, conditions);
	if (error != 0)
		fail("rule", name, -error);
}

static scmp_filter_ctx new_filter(uint32_t arch, uint32_t otherwise)
{
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int error = 0;

	if (ctx == NULL)
		fail("seccomp_init", "", EINVAL);
	if (arch != seccomp_arch_native()) {
		error = seccomp_arch_add(ctx, arch);
		if (error == 0)
			error = seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
	}
	if (error != 0)
		fail("architecture", "", -error);
	return ctx;
}

static void print_filter(scmp_filter_ctx ctx)
{
	int error = seccomp_export_bpf(ctx, STDOUT_FILENO);

	if (error != 0)
		fail("seccomp_export_bpf", "", -error);
	seccomp_release(ctx);
}

static void build(uint32_t arch)
{
	scmp_filter_ctx ctx = new_filter(arch, SCMP_ACT_NOTIFY);
	char line[1024];
	int error = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_NOTIFY);

	if (error != 0)
		fail("seccomp_attr_set", "", -error);
	while (fgets(line, sizeof(line), stdin))
		add_rule(ctx, SCMP_ACT_ALLOW, strtok(line, " \n"), 1);
	print_filter(ctx);
}

static void build_as_engine(uint32_t arch, uint32_t otherwise)
{
	scmp_filter_ctx ctx = new_filter(arch, SCMP_ACT_ERRNO(otherwise));
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		const char *word = strtok(line, " \n");
		uint32_t action = strcmp(word, "allow") == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(atoi(word));

		add_rule(ctx, action, strtok(NULL, " \n"), 0);
	}
	print_filter(ctx);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "resolve") == 0)
		resolve(parse_arch(argv[2]));
	else if (argc == 3 && strcmp(argv[1], "build") == 0)
		build(parse_arch(argv[2]));
	else if (argc == 4 && strcmp(argv[1], "engine") == 0)
		build_as_engine(parse_arch(argv[2]), atoi(argv[3]));
	else
		fail("usage:", "libseccomp-oracle resolve|build|engine ARCH [ERRNO]", EINVAL);
	return 0;
}
