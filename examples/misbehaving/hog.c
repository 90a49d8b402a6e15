// hog: takes memory, a MiB at a time and touching every page, until there is no more, then traps. Prints
// how many MiB it got to stderr before it does. An argument caps the MiB: then it keeps them and ends well.

#include <stdio.h>
#include <stdlib.h>

#define MIB (1024 * 1024)

int main(int argc, char **argv) {
  long most = argc > 1 ? atol(argv[1]) : 0;
  long got = 0;
  while (most == 0 || got < most) {
    volatile char *block = malloc(MIB);
    if (block == NULL) break;
    // An untouched page costs nothing: the host gives it out only when it is written.
    for (long i = 0; i < MIB; i += 4096) block[i] = 1;
    got++;
  }
  fprintf(stderr, "got %ld MiB\n", got);
  if (most == 0 || got < most) __builtin_trap();
  return 0;
}
