// flood: writes blocks of 64 KiB to stdout, for ever or, with an argument, that many bytes. Byte number i is
// 'a' + i % 26, so that a reader can tell a lost or doubled piece.

#include <stdlib.h>
#include <unistd.h>

#define BLOCK (64 * 1024)

static char pattern[BLOCK + 26]; // any 64 KiB of the stream are a piece of it

int main(int argc, char **argv) {
  unsigned long long left = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  int forever = argc <= 1;
  for (unsigned i = 0; i < sizeof pattern; i++) pattern[i] = (char)('a' + i % 26);

  unsigned long long sent = 0;
  while (forever || left > 0) {
    size_t size = forever || left > BLOCK ? BLOCK : (size_t)left;
    ssize_t written = write(STDOUT_FILENO, pattern + sent % 26, size);
    if (written < 0) return 1;
    sent += (unsigned long long)written;
    if (!forever) left -= (unsigned long long)written;
  }
  return 0;
}
