// loop: says so, then never ends. There is no host call in the loop, so nothing but killing it helps.

#include <unistd.h>

int main(void) {
  write(STDOUT_FILENO, "looping\n", 8);
  // volatile: otherwise the compiler may reason that nothing happens here
  for (volatile unsigned n = 0;; n++) {
  }
}
