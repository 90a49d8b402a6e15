// ticker: prints `tick 1`, `tick 2`, … with a pause between, each as soon as it is due; `done` on stderr at
// the end.
//
//   ticker [COUNT [INTERVAL_MS]]      5 ticks, 200 ms apart, unless told otherwise

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 5;
  long interval_ms = argc > 2 ? atol(argv[2]) : 200;
  if (count < 0 || interval_ms < 0) {
    fprintf(stderr, "usage: ticker [COUNT [INTERVAL_MS]]\n");
    return 64;
  }

  const struct timespec pause = {interval_ms / 1000, interval_ms % 1000 * 1000000};
  for (long i = 1; i <= count; i++) {
    if (i > 1) nanosleep(&pause, NULL);
    printf("tick %ld\n", i);
    fflush(stdout); // stdout may be a pipe, which the C library would buffer until the end
  }
  fprintf(stderr, "done\n");
  return 0;
}
