/* The paths and addresses of recordings of kind `files`, on their way from the ring buffer to `file` and `socket` lines. */
#ifndef PORIN_RECORDER_FILES_H
#define PORIN_RECORDER_FILES_H

#include <stdbool.h>

/* After the programs are loaded, before they are attached. */
bool files_open(void);
void files_close(void);

/* Becomes readable when there is something to drain soon. */
int files_fd(void);

/* Begins the slot's recording: `pid` is porin-init. False when it is gone. */
bool files_arm(unsigned int slot, int pid);

/* Takes in all that has come out of the kernel so far. Losses go into the facts of programs_recording(). */
void files_drain(void);

/* Writes the recording's `file` and `socket` lines; it was stopped and drained. False when not all could be written. */
bool files_write(const char *id, unsigned int slot);

/* Forgets the slot's recording, if there is one: the next one in it, of whatever kind, finds nothing. */
void files_remove(unsigned int slot);

#endif
