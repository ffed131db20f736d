/* What a call's number and a program's ELF header say of their ABI (elf(5)). */
#include "foreign.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#define FOREIGN_BIT 0x40000000 /* __X32_SYSCALL_BIT */
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#define FOREIGN_BIT 0
#else
#error "porin-init knows x86_64 and aarch64"
#endif

bool foreign_call(const struct seccomp_data *data)
{
	return data->arch != NATIVE_ARCH || ((uint32_t)data->nr & FOREIGN_BIT) != 0;
}

int foreign_kind(const struct seccomp_data *data)
{
	if (data->arch != NATIVE_ARCH)
		return FOREIGN_COMPAT;
	/* Below 0 are no numbers of x32. */
	return foreign_call(data) && data->nr >= 0 ? FOREIGN_X32 : FOREIGN_NONE;
}

void foreign_count(struct foreign_calls *calls, const struct seccomp_data *data)
{
	switch (foreign_kind(data)) {
	case FOREIGN_COMPAT: calls->compat++; break;
	case FOREIGN_X32: calls->x32++; break;
	}
}

const char *foreign_abi(const char *path)
{
	Elf32_Ehdr header;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, &header, sizeof(header));

	if (fd >= 0)
		close(fd);
	if (got != sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS32)
		return NULL;
	switch (header.e_machine) {
	case EM_386: return "i386";
	case EM_X86_64: return "x32";
	case EM_ARM: return "arm";
	default: return NULL;
	}
}

void foreign_find(struct foreign_program *program, pid_t tid)
{
	char link[32];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%d/exe", tid);
	program->abi = foreign_abi(link);
	length = readlink(link, program->path, sizeof(program->path) - 1);
	if (length <= 0)
		program->abi = NULL;
	else
		program->path[length] = '\0';
}
