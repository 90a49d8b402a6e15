// What files cost a guest: many small writes, and a large file in small reads. Prints microseconds for each write,
// and milliseconds for the reads. `files WRITES SMALL LARGE`: how many, and two paths.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1e6 + at.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  int writes = atoi(argv[1]);
  static char block[4096];

  int out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (out < 0) return 1;
  double start = now();
  for (int i = 0; i < writes; i++)
    if (write(out, block, 16) != 16) return 2;
  double each = (now() - start) / writes;
  close(out);

  int in = open(argv[3], O_RDONLY);
  if (in < 0) return 3;
  start = now();
  while (read(in, block, sizeof block) > 0) {
  }
  printf("%f %f\n", each, (now() - start) / 1e3);
  return 0;
}
