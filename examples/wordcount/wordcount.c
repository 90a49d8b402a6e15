// wordcount: lines, words and bytes of stdin, like `wc`. A word is what white space ends, as POSIX has it;
// GNU wc differs on binary data, where it counts printable words only.
//
// One buffer of 64 KiB is all the memory it needs, however long the input is. Nothing here is particular to
// WebAssembly: `cc wordcount.c` makes the same program for a process or a container.

#include <stdio.h>
#include <unistd.h>

static unsigned char buffer[64 * 1024];

// The white space of the C locale, written out so that every C library agrees.
static int is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

int main(void) {
  unsigned long long lines = 0, words = 0, bytes = 0;
  int in_word = 0; // outside the loop: a word may go on in the next block

  for (;;) {
    ssize_t length = read(STDIN_FILENO, buffer, sizeof buffer);
    if (length < 0) {
      perror("wordcount: stdin");
      return 1;
    }
    if (length == 0) break;

    bytes += (unsigned long long)length;
    for (ssize_t i = 0; i < length; i++) {
      if (buffer[i] == '\n') lines++;
      int space = is_space(buffer[i]);
      if (!space && !in_word) words++;
      in_word = !space;
    }
  }

  printf("%llu %llu %llu\n", lines, words, bytes);
  return 0;
}
