// sleeper: a typed component that waits by the clock, so that an instance of it can be used again.

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(module, name) __attribute__((import_module(module "@0.2.0"), import_name(name)))

typedef int32_t handle;

IMPORT("wasi:io/poll", "[method]pollable.block") void pollable_block(handle self);
IMPORT("wasi:io/poll", "[resource-drop]pollable") void pollable_drop(handle self);
IMPORT("wasi:clocks/monotonic-clock", "subscribe-duration") handle subscribe_duration(uint64_t ns);

EXPORT("sleep") void sleep_ms(uint32_t ms) {
  handle pollable = subscribe_duration((uint64_t)ms * 1000000);
  pollable_block(pollable);
  pollable_drop(pollable);
}
