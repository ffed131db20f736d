/* Files of the inputs, the image, the kernel and the outputs; what is left of a crash. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void write_inputs(void)
{
	said("write", open_path("/in/data", O_WRONLY));
	said("truncate", open_path("/in/data", O_WRONLY | O_TRUNC));
	said("create", open_path("/in/more", O_WRONLY | O_CREAT));
}

static void write_image(void)
{
	said("replace-program", open_path("/attack", O_WRONLY));
	said("create", open_path("/bin/more", O_WRONLY | O_CREAT));
	said("user", open_path("/etc/passwd", O_WRONLY | O_APPEND));
}

static void kernel_settings(void)
{
	said("core_pattern", open_path("/proc/sys/kernel/core_pattern", O_WRONLY));
	said("modprobe", open_path("/proc/sys/kernel/modprobe", O_WRONLY));
	said("sysrq", open_path("/proc/sysrq-trigger", O_WRONLY));
	said("uevent_helper", open_path("/sys/kernel/uevent_helper", O_WRONLY));
	said("uid_map", open_path("/proc/1/uid_map", O_WRONLY));
}

static void devices(void)
{
	said("mem", open_path("/dev/mem", O_RDWR));
	said("kmsg", open_path("/dev/kmsg", O_RDONLY));
	said("disk", open_path("/dev/sda", O_RDONLY));
	said("fuse", open_path("/dev/fuse", O_RDWR));
	said("kvm", open_path("/dev/kvm", O_RDWR));
}

/* Links, a pipe and a set-user-id program in place of outputs; the honest result stays beside them. */
static void output_links(void)
{
	said("symlink", syscall(SYS_symlinkat, "/etc/shadow", AT_FDCWD, "/out/link"));
	said("directory", syscall(SYS_symlinkat, "/etc", AT_FDCWD, "/out/tree"));
	said("hard-link", syscall(SYS_linkat, AT_FDCWD, "/in/data", AT_FDCWD, "/out/hard", 0));
	said("pipe", syscall(SYS_mknodat, AT_FDCWD, "/out/pipe", S_IFIFO | 0600, 0));
	if (open_path("/out/program", O_WRONLY | O_CREAT) >= 0)
		said("set-user-id", syscall(SYS_fchmodat, AT_FDCWD, "/out/program", 04755));
}

static long link_output(void) { return syscall(SYS_symlinkat, "/etc/shadow", AT_FDCWD, "/out/flip"); }

/* A child that goes on for ever, turning one output from a link into a file and back. */
static void output_race(void)
{
	int *gate = new_gate();
	pid_t child = fork();

	if (child == 0) {
		bool linked = said("symlink", link_output());

		open_gate(gate);
		while (linked) {
			unlink("/out/flip");
			close((int)open_path("/out/flip", O_WRONLY | O_CREAT));
			unlink("/out/flip");
			linked = link_output() == 0;
		}
		_exit(0);
	}
	if (said("fork", child))
		wait_at(gate);
}

/* In the directory of the outputs, where a dump would be an output. */
static void core_dump(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	pid_t child;

	said("limit", syscall(SYS_prlimit64, 0, RLIMIT_CORE, &unlimited, NULL));
	child = fork();
	if (child == 0) {
		*(volatile int *)1 = 1;
		_exit(0);
	}
	told_end("crash", child);
}

/* Back into a directory above the root it was given, by "..", and through a descriptor. */
static void climb(void)
{
	said("dots", open_path("/in/../../../../proc/1/root/etc/shadow", O_RDONLY));
	said("descriptor", syscall(SYS_openat, 0, "../../../../etc/hostname", O_RDONLY));
	said("self-root", open_path("/proc/self/root/../etc/shadow", O_RDONLY));
}

/* A name where it may make one, of a file that it may not read; and a descriptor that only names it. */
static void read_through(void)
{
	char path[64];
	long handle;

	said("link", syscall(SYS_symlinkat, "/etc/passwd", AT_FDCWD, "/out/way"));
	said("through-link", open_path("/out/way", O_RDONLY));
	handle = open_path("/etc/passwd", O_PATH);
	snprintf(path, sizeof(path), "/proc/self/fd/%ld", handle);
	said("through-descriptor", open_path(path, O_RDONLY));
	said("through-directory", syscall(SYS_openat, open_path("/etc", O_PATH | O_DIRECTORY), "passwd", O_RDONLY));
}

const struct attack file_attacks[] = {
	{ "write-inputs", write_inputs },
	{ "write-image", write_image },
	{ "kernel-settings", kernel_settings },
	{ "devices", devices },
	{ "output-links", output_links },
	{ "output-race", output_race },
	{ "core-dump", core_dump },
	{ "climb", climb },
	{ "read-through", read_through },
	{ 0 },
};
