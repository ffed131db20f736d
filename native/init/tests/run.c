/* Runs the unit tests of porin-init's pure parts. */
#include "test.h"

#include <stdio.h>

static unsigned checks, failures;

void check(bool held, const char *condition, const char *file, int line)
{
	checks++;
	if (held)
		return;
	failures++;
	fprintf(stderr, "%s:%d: %s\n", file, line, condition);
}

int main(void)
{
	test_base64();
	test_answer();
	test_control();
	test_policy();
	test_shapes();
	test_foreign();
	test_ledger();
	test_trace();
	printf("porin-init: %u checks, %u failed\n", checks, failures);
	return failures > 0 || checks == 0;
}
