/* Which denials are the same, and what happens when there are too many. */
#include "../shapes.h"

#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "test.h"

static struct ledger ledger;
static struct denial denial;

static enum ledger_result add(int number, uint64_t first, uint64_t second, const char *detail)
{
	memset(&denial, 0, sizeof(denial));
	denial.data.nr = number;
	denial.data.arch = AUDIT_ARCH_X86_64;
	denial.data.args[0] = first;
	denial.data.args[1] = second;
	denial.scalars = call_shape((uint32_t)number).scalars;
	denial.verdict = SECCOMP_RET_ERRNO | 1;
	denial.detail_length = strlen(detail);
	memcpy(denial.detail, detail, denial.detail_length);
	return ledger_add(&ledger, &denial);
}

static void same_and_different(void)
{
	memset(&ledger, 0, sizeof(ledger));
	CHECK(add(SYS_socket, 2, 1, "") == LEDGER_NEW);
	CHECK(add(SYS_socket, 2, 1, "") == LEDGER_KNOWN);
	CHECK(add(SYS_socket, 2, 3, "") == LEDGER_NEW);
	CHECK(add(SYS_socket, 0x100000002, 3, "") == LEDGER_KNOWN); /* the kernel reads the low word alone */
	CHECK(add(SYS_getppid, 2, 1, "") == LEDGER_NEW);
	CHECK(add(SYS_getppid, 3, 4, "") == LEDGER_KNOWN); /* what is left in registers is no argument */
	CHECK(add(SYS_openat, 0, 1, " path:1:YQ==") == LEDGER_NEW);
	CHECK(add(SYS_openat, 0, 2, " path:1:YQ==") == LEDGER_KNOWN); /* where the path lies does not matter */
	CHECK(add(SYS_openat, 0, 2, " path:1:YWE=") == LEDGER_NEW);
	CHECK(ledger.length == 5 && ledger.dropped == 0);
	CHECK(ledger.counts[0] == 2 && ledger.counts[1] == 2);

	/* Another verdict on the same call is another denial. */
	denial.verdict = SECCOMP_RET_ALLOW;
	CHECK(ledger_add(&ledger, &denial) == LEDGER_NEW);
	denial.data.arch = AUDIT_ARCH_I386;
	CHECK(ledger_add(&ledger, &denial) == LEDGER_NEW);
}

static void too_many(void)
{
	char detail[32];

	memset(&ledger, 0, sizeof(ledger));
	for (int i = 0; i < MAX_SHAPES; i++) {
		snprintf(detail, sizeof(detail), "%d", i);
		CHECK(add(SYS_openat, 0, 0, detail) == LEDGER_NEW);
	}
	CHECK(add(SYS_openat, 0, 0, "one more") == LEDGER_DROPPED);
	CHECK(add(SYS_openat, 0, 0, "one more") == LEDGER_DROPPED);
	CHECK(add(SYS_openat, 0, 0, "0") == LEDGER_KNOWN);
	CHECK(ledger.length == MAX_SHAPES && ledger.dropped == 2 && ledger.counts[0] == 2);
}

void test_shapes(void)
{
	CHECK(call_shape(SYS_openat).paths == 1 << 1);
	CHECK(call_shape(SYS_connect).address == 1 << 1);
	CHECK(call_shape(0xffffffff).number == 0xffffffff && call_shape(0xffffffff).scalars == 0);
	same_and_different();
	too_many();
}
