// cat: stdin to stdout, byte by byte the same.

#include <unistd.h>

static char buffer[64 * 1024];

int main(void) {
  for (;;) {
    ssize_t length = read(STDIN_FILENO, buffer, sizeof buffer);
    if (length <= 0) return length < 0;
    for (ssize_t done = 0; done < length;) {
      ssize_t written = write(STDOUT_FILENO, buffer + done, (size_t)(length - done));
      if (written < 0) return 1;
      done += written;
    }
  }
}
