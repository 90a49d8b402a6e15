/* Makes each sync of a file take SLOW_SYNC_MS longer while the file that SLOW_SYNC_WHILE names is there: a slow disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void linger(void) {
  const char *path = getenv("SLOW_SYNC_WHILE");
  const char *ms = getenv("SLOW_SYNC_MS");
  if (path != NULL && ms != NULL && access(path, F_OK) == 0) usleep(atoi(ms) * 1000);
}

int fdatasync(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  linger();
  return real(file);
}

int fsync(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  linger();
  return real(file);
}
