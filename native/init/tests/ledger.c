/* Which denials are the same, and what happens when there are too many, or too long ones. */
#include "../ledger.h"

#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "../base64.h"
#include "../shapes.h"
#include "test.h"

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static struct ledger ledger;
static struct call call;

static void point_to(enum pointed_kind kind, int argument, const char *bytes, size_t length)
{
	struct pointed *pointed = &call.pointed[call.pointed_count++];

	*pointed = (struct pointed){ .kind = (uint8_t)kind, .argument = (uint8_t)argument, .length = (uint16_t)length };
	memcpy(pointed->bytes, bytes, length);
}

static void set(int number, uint64_t first, uint64_t second)
{
	memset(&call, 0, sizeof(call));
	call.data.nr = number;
	call.data.arch = NATIVE;
	call.data.args[0] = first;
	call.data.args[1] = second;
	call.scalars = call_shape((uint32_t)number).scalars;
	call.verdict = SECCOMP_RET_ERRNO | 1;
}

static enum ledger_result add(int number, uint64_t first, uint64_t second, const char *path)
{
	set(number, first, second);
	if (path)
		point_to(POINTED_PATH, 1, path, strlen(path));
	return ledger_add(&ledger, &call);
}

static void same_and_different(void)
{
	memset(&ledger, 0, sizeof(ledger));
	CHECK(add(SYS_socket, 2, 1, NULL) == LEDGER_NEW && !ledger.unsent);
	CHECK(add(SYS_socket, 2, 1, NULL) == LEDGER_KNOWN && ledger.unsent);
	CHECK(add(SYS_socket, 2, 3, NULL) == LEDGER_NEW);
	CHECK(add(SYS_socket, 0x100000002, 3, NULL) == LEDGER_KNOWN); /* the kernel reads the low word alone */
	CHECK(add(SYS_getppid, 2, 1, NULL) == LEDGER_NEW);
	CHECK(add(SYS_getppid, 3, 4, NULL) == LEDGER_KNOWN); /* what is left in registers is no argument */
	CHECK(add(SYS_openat, 0, 1, "a") == LEDGER_NEW);
	CHECK(add(SYS_openat, 0, 2, "a") == LEDGER_KNOWN); /* where the path lies does not matter */
	CHECK(add(SYS_openat, 0, 2, "aa") == LEDGER_NEW);
	CHECK(add(SYS_openat, 0, 2, "") == LEDGER_NEW);
	CHECK(add(SYS_openat, 0, 2, NULL) == LEDGER_NEW);
	CHECK(ledger.length == 7 && ledger.dropped == 0);
	CHECK(ledger.counts[0] == 2 && ledger.counts[1] == 2 && ledger.sent[0] == 1);

	/* Another verdict on the same call is another denial, and so is another kind of what is pointed to. */
	call.verdict = SECCOMP_RET_ALLOW;
	CHECK(ledger_add(&ledger, &call) == LEDGER_NEW);
	call.data.arch = AUDIT_ARCH_I386;
	CHECK(ledger_add(&ledger, &call) == LEDGER_NEW);
	set(SYS_openat, 0, 0);
	point_to(POINTED_CUT, 1, "a", 1);
	CHECK(ledger_add(&ledger, &call) == LEDGER_NEW);
	call.pointed[0].argument = 2;
	CHECK(ledger_add(&ledger, &call) == LEDGER_NEW);
}

static void too_many(void)
{
	char path[32];

	memset(&ledger, 0, sizeof(ledger));
	for (int i = 0; i < MAX_SHAPES; i++) {
		snprintf(path, sizeof(path), "%d", i);
		CHECK(add(SYS_openat, 0, 0, path) == LEDGER_NEW);
	}
	CHECK(!ledger.unsent);
	CHECK(add(SYS_openat, 0, 0, "one more") == LEDGER_DROPPED && ledger.unsent);
	CHECK(add(SYS_openat, 0, 0, "one more") == LEDGER_DROPPED);
	for (int i = 0; i < MAX_SHAPES; i++) {
		snprintf(path, sizeof(path), "%d", i);
		CHECK(add(SYS_openat, 0, 0, path) == LEDGER_KNOWN && ledger.counts[i] == 2);
	}
	CHECK(ledger.length == MAX_SHAPES && ledger.dropped == 2);
}

/* A long path each: the report is full before the list is, and a short denial still finds room. */
static void too_long(void)
{
	static char path[MAX_POINTED];
	size_t reported = 0;

	memset(&ledger, 0, sizeof(ledger));
	memset(path, 'x', sizeof(path));
	for (int i = 0; i < 1000; i++) {
		set(SYS_openat, 0, 0);
		memcpy(path, &i, sizeof(i));
		point_to(POINTED_CUT, 1, path, sizeof(path));
		if (ledger_add(&ledger, &call) == LEDGER_NEW)
			reported++;
	}
	CHECK(ledger.length == reported && ledger.dropped == 1000 - reported && reported < MAX_SHAPES);
	CHECK(reported * BASE64_LENGTH(MAX_POINTED) < MAX_REPORT);
	CHECK((reported + 1) * (BASE64_LENGTH(MAX_POINTED) + 192) > MAX_REPORT);
	CHECK(add(SYS_getppid, 0, 0, NULL) == LEDGER_NEW);
}

/* However much of one call is denied, the first denial of each other one is in the report, and no more than that. */
static void first_of_each(void)
{
	char path[32];

	memset(&ledger, 0, sizeof(ledger));
	for (int i = 0; i < 100000; i++) {
		snprintf(path, sizeof(path), "%d", i);
		CHECK(add(SYS_openat, 0, 0, path) == (i < MAX_SHAPES ? LEDGER_NEW : LEDGER_DROPPED));
	}
	CHECK(ledger.dropped == 100000 - MAX_SHAPES && ledger.last_dropped == 1);
	CHECK(add(SYS_mkdirat, 0, 0, "/etc/cron.d") == LEDGER_NEW && ledger.length == MAX_SHAPES + 1);
	CHECK(add(SYS_mkdirat, 0, 0, "/etc/cron.d") == LEDGER_KNOWN && ledger.counts[MAX_SHAPES] == 2);
	CHECK(add(SYS_mkdirat, 0, 0, "/etc/other") == LEDGER_DROPPED && ledger.last_dropped == MAX_SHAPES + 1);
}

/* Every number that there is, of every ABI: the ledger is bounded, and only numbers that no call has are left out. */
static void every_number(void)
{
	size_t other = 0;

	memset(&ledger, 0, sizeof(ledger));
	for (int i = 0; i < MAX_SHAPES; i++) {
		set(SYS_openat, 0, 0);
		point_to(POINTED_PATH, 1, (const char *)&i, sizeof(i));
		CHECK(ledger_add(&ledger, &call) == LEDGER_NEW);
	}
	for (int number = 0; number < NATIVE_NUMBERS; number++)
		CHECK(add(number, 0, 0, NULL) == (number == SYS_openat ? LEDGER_DROPPED : LEDGER_NEW));
	for (int number = 0; number < 1000; number++) {
		other += add(NATIVE_NUMBERS + number, 0, 0, NULL) == LEDGER_NEW;
		set(number, 0, 0);
		call.data.arch = AUDIT_ARCH_I386;
		other += ledger_add(&ledger, &call) == LEDGER_NEW;
	}
	/* One of the shapes is openat's, and nothing was of x32. */
	CHECK(other == MAX_OTHER_CALLS + 1);
	CHECK(ledger.length == MAX_DENIALS - 2 && ledger.dropped == 1 + 2000 - MAX_OTHER_CALLS - 1);
	CHECK(add(-1, 0, 0, NULL) == LEDGER_DROPPED);
	CHECK(add(NATIVE_NUMBERS - 1, 0, 0, NULL) == LEDGER_KNOWN);
}

/* Numbers that mean nothing to any ABI hide no call of a foreign one. */
static void foreign_behind_junk(void)
{
	memset(&ledger, 0, sizeof(ledger));
	for (int i = 0; i < 1000; i++) {
		add(NATIVE_NUMBERS + i, 0, 0, NULL);
		add(-1 - i, 0, 0, NULL);
	}
	CHECK(ledger.length == MAX_SHAPES + MAX_OTHER_CALLS);
	set(SYS_getppid, 0, 0);
	call.data.arch = AUDIT_ARCH_I386;
	CHECK(ledger_add(&ledger, &call) == LEDGER_NEW && ledger_add(&ledger, &call) == LEDGER_KNOWN);
	set(SYS_openat, 0, 0);
	call.data.arch = AUDIT_ARCH_I386;
	CHECK(ledger_add(&ledger, &call) == LEDGER_DROPPED);
#if defined(__x86_64__)
	CHECK(add(0x40000000 | SYS_getppid, 0, 0, NULL) == LEDGER_NEW);
#endif
}

void test_ledger(void)
{
	same_and_different();
	too_many();
	too_long();
	first_of_each();
	every_number();
	foreign_behind_junk();
}
