/* Runs the fuzz target over every file of a directory, where there is no libFuzzer. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static void replay(const char *directory, const char *name)
{
	static uint8_t bytes[1 << 20];
	char path[4096];
	size_t length;
	uint8_t *exact;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	if (!file) {
		perror(path);
		exit(1);
	}
	length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	/* In memory of its own length, so that the sanitizer sees reads past its end. */
	exact = malloc(length > 0 ? length : 1);
	for (size_t i = 0; i < length; i++)
		exact[i] = bytes[i];
	LLVMFuzzerTestOneInput(exact, length);
	free(exact);
}

int main(int argc, char **argv)
{
	DIR *corpus = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	unsigned count = 0;

	if (!corpus) {
		fprintf(stderr, "usage: fuzz-replay <corpus directory>\n");
		return 1;
	}
	while ((entry = readdir(corpus)))
		if (entry->d_name[0] != '.') {
			replay(argv[1], entry->d_name);
			count++;
		}
	closedir(corpus);
	printf("porin-init: replayed %u inputs of the corpus\n", count);
	return count == 0;
}
