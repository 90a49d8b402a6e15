// trap: writes a line and executes `unreachable`.

#include <unistd.h>

int main(void) {
  write(STDOUT_FILENO, "before the trap\n", 16);
  __builtin_trap();
}
