/* The witness of WebAssembly: beat FILE BEATS PAUSE, with the pause in seconds; witness.ts has what it writes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char me[33];
static int file;

static void say(const char *what) {
  struct timespec now;
  char line[96];
  clock_gettime(CLOCK_MONOTONIC, &now);
  snprintf(line, sizeof line, "%s %lld.%02ld %s\n", me, (long long)now.tv_sec, now.tv_nsec / 10000000, what);
  if (write(file, line, strlen(line)) < 0) exit(9);
}

int main(int count, char **arguments) {
  unsigned char bytes[16];
  if (count < 4 || getentropy(bytes, sizeof bytes) != 0) return 8;
  for (int at = 0; at < 16; at++) snprintf(me + 2 * at, 3, "%02x", bytes[at]);
  file = open(arguments[1], O_WRONLY | O_APPEND);
  if (file < 0) return 7;
  double seconds = atof(arguments[3]);
  struct timespec rest = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
  say("begin");
  for (int beat = 1; beat <= atoi(arguments[2]); beat++) {
    say("beat");
    printf("%d\n", beat);
    fflush(stdout);
    nanosleep(&rest, NULL);
  }
  say("end");
  return 0;
}
