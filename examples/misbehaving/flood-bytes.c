// flood-bytes: writes to stdout one byte at a time, each a host call of its own, for ever or, with an
// argument, that many. Byte number i is 'a' + i % 26.

#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  unsigned long long count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  int forever = argc <= 1;
  for (unsigned long long i = 0; forever || i < count; i++) {
    char byte = (char)('a' + i % 26);
    if (write(STDOUT_FILENO, &byte, 1) != 1) return 1;
  }
  return 0;
}
