/* What the table says of calls, and of numbers that it does not have. */
#include "../shapes.h"

#include <stdbool.h>
#include <sys/syscall.h>

#include "test.h"

void test_shapes(void)
{
	CHECK(call_shape(SYS_openat).paths == 1 << 1 && call_shape(SYS_openat).scalars == 1 << 2);
	CHECK(call_shape(SYS_connect).address == 1 << 1);
	CHECK(call_shape(SYS_getppid).scalars == 0 && call_shape(SYS_getppid).paths == 0);
	CHECK(call_shape(0xffffffff).scalars == 0 && call_shape(0x40000000 | SYS_openat).paths == 0);
	/* What detail_read relies on: no more than two things pointed to, and an address has its length behind it. */
	for (uint32_t number = 0; number < 1024; number++) {
		struct call_shape shape = call_shape(number);

		CHECK(__builtin_popcount(shape.paths) + __builtin_popcount(shape.address) <= 2);
		CHECK((shape.paths & shape.address) == 0 && shape.address < 1 << 5 && shape.paths < 1 << 6);
	}
}
