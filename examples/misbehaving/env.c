// env: what a function sees of the world. Prints its arguments and its environment, then tries to read two
// files:
//
//   arg 0 env.wasm
//   env NAME=value
//   open /etc/passwd: errno 76 Capabilities insufficient
//   open /data/hello.txt: ok hello
//
// 76 is ENOTCAPABLE: no preopened folder holds the path. Arguments that begin with a slash are tried as well.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void try_open(const char *path) {
  char content[256];
  int file = open(path, O_RDONLY);
  ssize_t length = file < 0 ? -1 : read(file, content, sizeof content);
  if (length < 0) {
    printf("open %s: errno %d %s\n", path, errno, strerror(errno));
  } else {
    if (length > 0 && content[length - 1] == '\n') length--;
    printf("open %s: ok %.*s\n", path, (int)length, content);
  }
  if (file >= 0) close(file);
}

int main(int argc, char **argv) {
  for (int i = 0; i < argc; i++) printf("arg %d %s\n", i, argv[i]);
  for (char **entry = environ; entry != NULL && *entry != NULL; entry++) printf("env %s\n", *entry);
  try_open("/etc/passwd");
  try_open("/data/hello.txt");
  for (int i = 1; i < argc; i++) {
    if (argv[i][0] == '/') try_open(argv[i]);
  }
  return 0;
}
