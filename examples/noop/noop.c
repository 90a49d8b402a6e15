// noop: the smallest typed component. Scalars travel as they are in the canonical ABI, so it needs neither
// an allocator nor post-return functions.

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("noop") void noop(void) {}

EXPORT("echo") uint32_t echo(uint32_t n) { return n; }
