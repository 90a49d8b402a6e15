// stderr-mix: `out 1` on stdout, `err 1` on stderr, `out 2`, `err 2`, … as many times as its argument says,
// or 10. Every line is a host call of its own, so the order between the two streams is the order of the
// calls.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 10;
  char line[32];
  for (long i = 1; i <= count; i++) {
    int length = snprintf(line, sizeof line, "out %ld\n", i);
    write(STDOUT_FILENO, line, (size_t)length);
    length = snprintf(line, sizeof line, "err %ld\n", i);
    write(STDERR_FILENO, line, (size_t)length);
  }
  return 0;
}
