/* How to read a native call's arguments. Only for reports: nothing is decided by it. */
#pragma once

#include <stdint.h>

struct call_shape {
	uint8_t scalars; /* bit i: argument i tells one use of the call from another (its low 32 bits) */
	uint8_t paths;	 /* bit i: argument i points to a path; at most two */
	uint8_t address; /* bit i: argument i points to a socket address, i + 1 is its length; and no path */
};

/* All zeros where nothing is known about the call. */
struct call_shape call_shape(uint32_t number);
