/* The recordings that are on: arm, look, stop, take away. */
#define _GNU_SOURCE
#include "recordings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "files.h"
#include "programs.h"
#include "uses.h"

struct recording {
	bool on;
	char id[MAX_ID + 1];
	int directory; /* of the cgroup; does not keep the cgroup from being removed */
	enum recording_kind kind;
	unsigned int supervisor;
	unsigned int others;
	bool misses_known;
	unsigned long long misses_before;
	bool empty_at_stop;
	bool stopped;
};

static struct recording recordings[MAX_RECORDINGS];
static unsigned int on_count;
/* Slots are taken in turn, so that a program still running for a finished recording does not count into a new one. */
static unsigned int next_slot;

static struct recording *find(const char *id)
{
	for (unsigned int slot = 0; slot < MAX_RECORDINGS; slot++) {
		if (recordings[slot].on && !strcmp(recordings[slot].id, id))
			return &recordings[slot];
	}
	return NULL;
}

static const char *unknown(const char **message)
{
	*message = "no recording of this id is on";
	return "unknown-id";
}

/* The BPF side inserts at the same time, so places are claimed by compare-and-swap there and here. */
static const char *directory_insert(unsigned long long cgroup, unsigned int slot)
{
	struct directory_entry *directory = programs_directory();

	for (unsigned int step = 0; step < DIRECTORY_REACH; step++) {
		struct directory_entry *entry = &directory[directory_place(cgroup, step)];
		unsigned long long seen = __atomic_load_n(&entry->cgroup, __ATOMIC_ACQUIRE);

		if (seen == cgroup)
			return entry->slot == slot ? NULL : "already-recorded";
		if (seen == CGROUP_NONE)
			break;
	}
	for (unsigned int step = 0; step < DIRECTORY_REACH; step++) {
		struct directory_entry *entry = &directory[directory_place(cgroup, step)];
		unsigned long long none = CGROUP_NONE, removed = CGROUP_REMOVED;

		if (__atomic_compare_exchange_n(&entry->cgroup, &none, cgroup, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
		    __atomic_compare_exchange_n(&entry->cgroup, &removed, cgroup, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			__atomic_store_n(&entry->slot, slot, __ATOMIC_RELEASE);
			return NULL;
		}
	}
	return "full";
}

static void directory_remove(unsigned int slot)
{
	struct directory_entry *directory = programs_directory();

	for (unsigned int place = 0; place < DIRECTORY_PLACES; place++) {
		if (directory[place].slot != slot)
			continue;
		__atomic_store_n(&directory[place].slot, MAX_RECORDINGS, __ATOMIC_RELEASE);
		__atomic_store_n(&directory[place].cgroup, CGROUP_REMOVED, __ATOMIC_RELEASE);
	}
	if (on_count == 0) {
		for (unsigned int place = 0; place < DIRECTORY_PLACES; place++)
			directory[place].cgroup = CGROUP_NONE;
	}
}

struct insertion {
	unsigned int slot;
	const char *code;
};

static bool insert_cgroup(int directory, void *context)
{
	struct insertion *insertion = context;
	struct stat status;

	if (fstat(directory, &status)) {
		insertion->code = "no-cgroup";
		return false;
	}
	insertion->code = directory_insert(status.st_ino, insertion->slot);
	return !insertion->code;
}

struct census {
	unsigned int supervisor;
	unsigned int others;
	bool supervisor_seen;
};

static bool count_processes(int directory, void *context)
{
	struct census *census = context;
	int file = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *stream = file < 0 ? NULL : fdopen(file, "r");
	unsigned int pid;

	if (!stream) {
		if (file >= 0)
			close(file);
		return false;
	}
	while (fscanf(stream, "%u", &pid) == 1) {
		if (pid == census->supervisor)
			census->supervisor_seen = true;
		else
			census->others++;
	}
	bool complete = !ferror(stream);
	fclose(stream);
	return complete;
}

/* cgroup.events of the recorded cgroup covers its sub-cgroups. A removed cgroup is empty. */
static bool is_empty(int directory)
{
	char text[256];
	int file = openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return errno == ENOENT || errno == ENODEV;
	ssize_t length = read(file, text, sizeof text - 1);
	bool removed = length < 0 && errno == ENODEV;

	close(file);
	if (length < 0)
		return removed;
	text[length] = '\0';
	return strstr(text, "populated 0") != NULL;
}

/* The programs that the recordings which are on need. */
static bool attach_needed(void)
{
	enum recording_kind kind = KIND_NONE;

	for (unsigned int slot = 0; slot < MAX_RECORDINGS; slot++) {
		if (recordings[slot].on && recordings[slot].kind > kind)
			kind = recordings[slot].kind;
	}
	return programs_attach(kind);
}

/* From here on nothing is added to the recording: no program finds its slot, and those that had found it are done. */
static void stop(unsigned int slot)
{
	struct recording *recording = &recordings[slot];

	if (recording->stopped)
		return;
	recording->stopped = true;
	recording->empty_at_stop = is_empty(recording->directory);
	directory_remove(slot);
	if (!recording->empty_at_stop)
		programs_settle();
	files_drain();
}

static void release(unsigned int slot)
{
	struct recording *recording = &recordings[slot];

	stop(slot);
	uses_remove(slot);
	files_remove(slot);
	programs_clear_supervisor(recording->supervisor);
	close(recording->directory);
	recording->on = false;
	on_count--;
	attach_needed();
}

static const char *open_cgroup(int pid, int *directory, const char **message)
{
	static char path[MAX_PATH], name[2 * MAX_PATH];
	static struct cgroup2_mount mount;
	const char *code = read_cgroup2_path(pid, path, sizeof path, message);

	if (code)
		return code;
	if (!find_cgroup2_mount(&mount)) {
		*message = "no cgroup2 file system is mounted";
		return "no-cgroup";
	}
	code = cgroup2_directory(&mount, path, name, sizeof name, message);
	if (code)
		return code;
	*directory = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*message = "the cgroup's directory cannot be opened";
	return *directory < 0 ? "no-cgroup" : NULL;
}

static const char *watch(unsigned int slot, const char **message)
{
	struct recording *recording = &recordings[slot];
	struct insertion insertion = { .slot = slot, .code = NULL };
	struct census census = { .supervisor = recording->supervisor };

	*message = "the kernel refuses to set up the recording";
	if (!programs_zero_counts(slot) || !programs_set_supervisor(recording->supervisor, slot))
		return "arm-failed";
	files_remove(slot);
	if (recording->kind == KIND_FILES && !files_arm(slot, (int)recording->supervisor)) {
		*message = "there is no such process";
		return "no-process";
	}
	if (!attach_needed())
		return "arm-failed";
	/* Sub-cgroups made from here on enter by themselves, those that exist by the walk. */
	if (!each_cgroup(recording->directory, insert_cgroup, &insertion)) {
		*message = "the cgroup cannot be entered: it is gone, already recorded, or the recorder is full";
		return insertion.code ? insertion.code : "no-cgroup";
	}
	/* After the programs are attached, so that whoever comes later is noted by them. */
	if (!each_cgroup(recording->directory, count_processes, &census)) {
		*message = "the cgroup's processes cannot be listed";
		return "no-cgroup";
	}
	if (!census.supervisor_seen) {
		*message = "the process is not, or no more, in its cgroup";
		return "no-process";
	}
	recording->others = census.others;
	recording->misses_known = programs_misses(recording->kind, &recording->misses_before);
	return NULL;
}

const char *recordings_arm(const struct command *command, unsigned int *others, const char **message)
{
	const unsigned int supervisor = (unsigned int)command->pid;
	unsigned int slot = next_slot;
	int directory = -1;
	const char *code;

	if (find(command->id)) {
		*message = "a recording of this id is on";
		return "duplicate-id";
	}
	if (on_count == MAX_RECORDINGS) {
		*message = "as many recordings as can be are on";
		return "full";
	}
	code = open_cgroup(command->pid, &directory, message);
	if (code)
		return code;
	while (recordings[slot].on)
		slot = (slot + 1) % MAX_RECORDINGS;
	next_slot = (slot + 1) % MAX_RECORDINGS;

	struct recording *recording = &recordings[slot];
	*recording = (struct recording){
		.on = true, .directory = directory, .kind = command->recorded, .supervisor = supervisor,
	};
	memcpy(recording->id, command->id, sizeof recording->id);
	*programs_recording(slot) = (struct recording_state){ .supervisor = supervisor, .kind = command->recorded };
	on_count++;
	code = watch(slot, message);
	if (code)
		release(slot);
	else
		*others = recording->others;
	return code;
}

static const char *report_on(const struct recording *recording, struct report *report, const char **message)
{
	unsigned long long misses;

	report->slot = (unsigned int)(recording - recordings);
	report->others = recording->others;
	report->state = *programs_recording(report->slot);
	if (recording->misses_known && programs_misses(recording->kind, &misses)) {
		report->misses = misses - recording->misses_before;
	} else {
		report->misses = 0;
		report->state.map_failures++;
	}
	if (!programs_read_counts(report->slot, &report->counts)) {
		*message = "the kernel does not give the counters";
		return "read-failed";
	}
	return NULL;
}

const char *recordings_read(const char *id, struct report *report, const char **message)
{
	struct recording *recording = find(id);

	if (!recording)
		return unknown(message);
	report->empty = is_empty(recording->directory);
	files_drain();
	return report_on(recording, report, message);
}

const char *recordings_stop(const char *id, struct report *report, const char **message)
{
	struct recording *recording = find(id);

	if (!recording)
		return unknown(message);
	stop((unsigned int)(recording - recordings));
	report->empty = recording->empty_at_stop;
	return report_on(recording, report, message);
}

const char *recordings_disarm(const char *id, const char **message)
{
	struct recording *recording = find(id);

	if (!recording)
		return unknown(message);
	release((unsigned int)(recording - recordings));
	return NULL;
}
