/* The loaded BPF object: attached as far as the recordings that are on need it. */
#define _GNU_SOURCE
#include "programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder.skel.h"

#define MAX_PROGRAMS 16

static struct recorder *object;
/* By the program's place in the object; NULL where it is not attached. */
static struct bpf_link *links[MAX_PROGRAMS];
static struct call_counts *per_cpu;
static int cpus;

static int print_warning(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

/* A program's name begins with the kind that needs it, unless all do. */
static enum recording_kind kind_of(const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);

	if (!strncmp(name, "files_", 6))
		return KIND_FILES;
	return strncmp(name, "arguments_", 10) ? KIND_SYSCALLS : KIND_ARGUMENTS;
}

static bool open_and_load(const struct limits *limits)
{
	int error;

	object = recorder__open();
	if (!object)
		return false;
	object->rodata->max_uses = limits->uses;
	for (int at = 0; at < AWARE_CALLS; at++)
		object->rodata->aware_by_number[aware_calls[at].number % MAX_NUMBERS] = aware_calls[at];
	bpf_map__set_max_entries(object->maps.uses, limits->entries);
	object->rodata->max_file_uses = limits->file_uses;
	if (getrandom(&object->rodata->hash_seed, sizeof object->rodata->hash_seed, 0) < 0)
		return false;
	bpf_map__set_max_entries(object->maps.file_uses, limits->file_entries);
	bpf_map__set_max_entries(object->maps.file_events, limits->ring_bytes);
	error = recorder__load(object);
	if (error) {
		recorder__destroy(object);
		object = NULL;
		errno = -error;
	}
	return !error;
}

const char *programs_load(const struct limits *limits, const char **message)
{
	/* Kernels before 5.11 charge maps to it; later ones do not, so a refusal is no error. */
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
	libbpf_set_print(print_warning);
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		*message = "the kernel does not show its types in /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)";
		return "no-btf";
	}
	cpus = libbpf_num_possible_cpus();
	per_cpu = cpus > 0 ? calloc((size_t)cpus, sizeof *per_cpu) : NULL;
	if (!per_cpu) {
		*message = "no memory for the counters";
		return "bpf-load-failed";
	}
	if (!open_and_load(limits) && (errno == EPERM || errno == EACCES)) {
		*message = "the kernel refuses BPF: the recorder needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN";
		return "bpf-not-permitted";
	}
	if (!object) {
		*message = "the kernel does not load the BPF programs; standard error says why";
		return "bpf-load-failed";
	}
	for (unsigned int place = 0; place < DIRECTORY_PLACES; place++)
		programs_directory()[place].slot = MAX_RECORDINGS;
	if (!programs_attach(KIND_FILES)) {
		*message = "the kernel does not attach the BPF programs; standard error says why";
		return "bpf-load-failed";
	}
	programs_attach(KIND_NONE);
	return NULL;
}

void programs_unload(void)
{
	if (!object)
		return;
	programs_attach(KIND_NONE);
	recorder__destroy(object);
	object = NULL;
	free(per_cpu);
}

bool programs_attach(enum recording_kind kind)
{
	struct bpf_program *program;
	int at = 0;
	bool attached = true;

	bpf_object__for_each_program(program, object->obj) {
		bool needed = kind_of(program) <= kind;

		if (at == MAX_PROGRAMS)
			return false;
		if (needed && !links[at])
			links[at] = bpf_program__attach(program);
		if (!needed) {
			bpf_link__destroy(links[at]);
			links[at] = NULL;
		}
		attached = attached && (!needed || links[at]);
		at++;
	}
	return attached;
}

bool programs_misses(enum recording_kind kind, unsigned long long *misses)
{
	struct bpf_program *program;

	*misses = 0;
	bpf_object__for_each_program(program, object->obj) {
		struct bpf_prog_info info = { 0 };
		__u32 length = sizeof info;

		if (kind_of(program) > kind)
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
			return false;
		if (length < offsetof(struct bpf_prog_info, recursion_misses) + sizeof info.recursion_misses)
			return false; /* before Linux 5.12 */
		*misses += info.recursion_misses;
	}
	return true;
}

/* Programs run with preemption off, which ends before the kernel's grace period does (membarrier(2), GLOBAL). */
void programs_settle(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

int programs_map(const char *name)
{
	return bpf_object__find_map_fd_by_name(object->obj, name);
}

const volatile struct aware_call *programs_aware(unsigned int number)
{
	return &object->rodata->aware_by_number[number % MAX_NUMBERS];
}

struct recording_state *programs_recording(unsigned int slot)
{
	return &object->bss->recordings[slot];
}

struct directory_entry *programs_directory(void)
{
	return object->bss->directory;
}

bool programs_set_supervisor(unsigned int pid, unsigned int slot)
{
	return !bpf_map__update_elem(object->maps.supervisors, &pid, sizeof pid, &slot, sizeof slot, BPF_ANY);
}

void programs_clear_supervisor(unsigned int pid)
{
	bpf_map__delete_elem(object->maps.supervisors, &pid, sizeof pid, 0);
}

bool programs_read_counts(unsigned int slot, struct call_counts *sum)
{
	size_t words = sizeof *sum / sizeof(unsigned long long);

	memset(sum, 0, sizeof *sum);
	if (bpf_map__lookup_elem(object->maps.counts, &slot, sizeof slot, per_cpu, sizeof *per_cpu * (size_t)cpus, 0))
		return false;
	for (int cpu = 0; cpu < cpus; cpu++) {
		for (size_t word = 0; word < words; word++)
			((unsigned long long *)sum)[word] += ((unsigned long long *)&per_cpu[cpu])[word];
	}
	return true;
}

bool programs_zero_counts(unsigned int slot)
{
	memset(per_cpu, 0, sizeof *per_cpu * (size_t)cpus);
	return !bpf_map__update_elem(object->maps.counts, &slot, sizeof slot, per_cpu, sizeof *per_cpu * (size_t)cpus, BPF_ANY);
}
