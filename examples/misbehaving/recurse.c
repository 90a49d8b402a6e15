// recurse: calls itself until the host's stack is full. (Nothing of a frame is in linear memory, so it is the
// engine's own stack that overflows, not the one inside the memory.)

#include <stdint.h>

static volatile uint32_t deepest;

static uint32_t descend(uint32_t depth) {
  if (depth == 0) return 0;
  deepest = descend(depth - 1); // a write after the call: otherwise the recursion is compiled into a loop
  return deepest + 1;
}

int main(void) { return (int)descend(UINT32_MAX); }
