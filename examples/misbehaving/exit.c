// exit: a line on stderr, then one on stdout, then ends with the code of its argument, or 7.

#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  write(STDERR_FILENO, "leaving\n", 8);
  write(STDOUT_FILENO, "bye\n", 4);
  exit(argc > 1 ? atoi(argv[1]) : 7);
}
