/* Which calls and which program files are of another ABI. */
#include "../foreign.h"

#include <elf.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static void calls(void)
{
	static const struct {
		uint32_t arch, number;
		bool foreign;
		uint64_t compat, x32;
	} rows[] = {
		{ NATIVE, 0, false, 0, 0 },
		{ NATIVE, 0x3fffffff, false, 0, 0 },
		{ AUDIT_ARCH_I386, 20, true, 1, 0 },
		{ AUDIT_ARCH_I386, 0x40000014, true, 1, 0 },
		{ AUDIT_ARCH_ARM, 20, true, 1, 0 },
		{ 0x16, 20, true, 1, 0 },
#ifdef __x86_64__
		{ NATIVE, 0x40000000, true, 0, 1 },
		{ NATIVE, 0x7fffffff, true, 0, 1 },
		{ NATIVE, 0xffffffff, true, 0, 0 }, /* -1 is a number of no ABI */
#else
		{ NATIVE, 0x40000000, false, 0, 0 },
#endif
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seccomp_data data = { .nr = (int)rows[i].number, .arch = rows[i].arch };
		struct foreign_calls counts = { 0 };

		CHECK(foreign_call(&data) == rows[i].foreign);
		if (rows[i].foreign)
			foreign_count(&counts, &data);
		CHECK(counts.compat == rows[i].compat && counts.x32 == rows[i].x32);
	}
}

/* The word for a file of these bytes. */
static const char *abi_of(const void *bytes, size_t length)
{
	char path[] = "/tmp/porin-foreign-XXXXXX";
	int fd = mkstemp(path);
	const char *abi;

	CHECK(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	abi = foreign_abi(path);
	close(fd);
	unlink(path);
	return abi;
}

static bool is(const char *abi, const char *word)
{
	return abi == word || (abi && word && strcmp(abi, word) == 0);
}

static void programs(void)
{
	static const struct {
		unsigned char class;
		uint16_t machine;
		const char *abi;
	} rows[] = {
		{ ELFCLASS32, EM_386, "i386" },   { ELFCLASS32, EM_X86_64, "x32" }, { ELFCLASS32, EM_ARM, "arm" },
		{ ELFCLASS64, EM_X86_64, NULL },  { ELFCLASS64, EM_AARCH64, NULL }, { ELFCLASS32, EM_MIPS, NULL },
		{ ELFCLASSNONE, EM_386, NULL },
	};
	Elf32_Ehdr header = { .e_ident = ELFMAG };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		header.e_ident[EI_CLASS] = rows[i].class;
		header.e_machine = rows[i].machine;
		CHECK(is(abi_of(&header, sizeof(header)), rows[i].abi));
	}
	header.e_ident[EI_CLASS] = ELFCLASS32;
	header.e_machine = EM_386;
	CHECK(is(abi_of(&header, sizeof(header) - 1), NULL));
	header.e_ident[0] = '#';
	CHECK(is(abi_of(&header, sizeof(header)), NULL));
	CHECK(is(abi_of("", 0), NULL));
	CHECK(is(foreign_abi("/no/such/file"), NULL));
	CHECK(is(foreign_abi("/"), NULL));
}

/* This test is a 64-bit program, and nobody has such a thread. */
static void threads(void)
{
	struct foreign_program program = { .abi = "i386" };

	foreign_find(&program, getpid());
	CHECK(!program.abi);
	program.abi = "i386";
	foreign_find(&program, 0);
	CHECK(!program.abi);
}

void test_foreign(void)
{
	calls();
	programs();
	threads();
}
