/*
 * A program whose threads wait for each other all the time: heat flowing through a plate, computed by four threads that
 * each own a strip and meet at a barrier after every step, as simulations do. Prints the heat in the middle.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, WIDTH = 256, STRIP = 32, HEIGHT = THREADS * STRIP, STEPS = 20000 };

static double plate[2][HEIGHT + 2][WIDTH + 2];
static pthread_barrier_t barrier;

static void step(double (*from)[WIDTH + 2], double (*to)[WIDTH + 2], int first)
{
	for (int y = first; y < first + STRIP; y++)
		for (int x = 1; x <= WIDTH; x++)
			to[y][x] = 0.25 * (from[y - 1][x] + from[y + 1][x] + from[y][x - 1] + from[y][x + 1]);
}

static void *work(void *argument)
{
	int first = 1 + STRIP * *(const int *)argument;

	for (int i = 0; i < STEPS; i++) {
		step(plate[i % 2], plate[(i + 1) % 2], first);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void require(int error)
{
	if (error == 0)
		return;
	fprintf(stderr, "threads: error %d\n", error);
	exit(1);
}

int main(void)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];

	for (int side = 0; side < 2; side++)
		for (int x = 0; x < WIDTH + 2; x++)
			plate[side][0][x] = 100;
	require(pthread_barrier_init(&barrier, NULL, THREADS));
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		require(pthread_create(&threads[i], NULL, work, &numbers[i]));
	}
	for (int i = 0; i < THREADS; i++)
		require(pthread_join(threads[i], NULL));
	printf("%.6f\n", plate[STEPS % 2][HEIGHT / 2][WIDTH / 2]);
	return 0;
}
