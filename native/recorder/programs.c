/* The loaded BPF object: attached while at least one recording is on. */
#define _GNU_SOURCE
#include "programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "recorder.skel.h"

#define MAX_PROGRAMS 8

static struct recorder *object;
static struct bpf_link *links[MAX_PROGRAMS];
static int linked;
static struct call_counts *per_cpu;
static int cpus;

static int print_warning(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

const char *programs_load(const char **message)
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
	object = recorder__open_and_load();
	if (!object && (errno == EPERM || errno == EACCES)) {
		*message = "the kernel refuses BPF: the recorder needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN";
		return "bpf-not-permitted";
	}
	if (!object) {
		*message = "the kernel does not load the BPF programs; standard error says why";
		return "bpf-load-failed";
	}
	for (unsigned int place = 0; place < DIRECTORY_PLACES; place++)
		programs_directory()[place].slot = MAX_RECORDINGS;
	if (!programs_attach()) {
		*message = "the kernel does not attach the BPF programs; standard error says why";
		return "bpf-load-failed";
	}
	programs_detach();
	return NULL;
}

void programs_unload(void)
{
	programs_detach();
	recorder__destroy(object);
	object = NULL;
	free(per_cpu);
}

bool programs_attach(void)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object->obj) {
		struct bpf_link *link = linked < MAX_PROGRAMS ? bpf_program__attach(program) : NULL;

		if (!link) {
			programs_detach();
			return false;
		}
		links[linked++] = link;
	}
	return true;
}

void programs_detach(void)
{
	while (linked > 0)
		bpf_link__destroy(links[--linked]);
}

bool programs_misses(unsigned long long *misses)
{
	struct bpf_program *program;

	*misses = 0;
	bpf_object__for_each_program(program, object->obj) {
		struct bpf_prog_info info = { 0 };
		__u32 length = sizeof info;

		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
			return false;
		if (length < offsetof(struct bpf_prog_info, recursion_misses) + sizeof info.recursion_misses)
			return false; /* before Linux 5.12 */
		*misses += info.recursion_misses;
	}
	return true;
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
