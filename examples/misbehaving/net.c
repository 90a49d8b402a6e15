// net: tries to reach the network through wasi:sockets, as a typed component written by hand (see
// ../typed/typed.c for how values cross). It is no preview-1 program like its neighbours because preview 1
// has no way to open a socket: a program can only use the ones that it was given.

#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(module, name) __attribute__((import_module(module "@0.2.0"), import_name(name)))

typedef int32_t handle;

// Results that are not one core value are written where the last parameter points.
typedef struct { uint8_t is_err; uint8_t err; } result_unit;
typedef struct { uint8_t is_err; union { handle ok; uint8_t err; }; } result_handle;
typedef struct { uint8_t is_err; union { struct { handle input, output; } ok; uint8_t err; }; } result_streams;
typedef struct {
  uint8_t is_err;
  union {
    uint8_t err;
    struct { uint16_t some, address[9]; } ok; // only the case number of the option is looked at
  };
} result_address;
typedef struct { uint8_t is_err; const char *err; size_t err_length; } result_text;

IMPORT("wasi:io/poll", "[method]pollable.block") void pollable_block(handle self);
IMPORT("wasi:io/poll", "[resource-drop]pollable") void pollable_drop(handle self);
IMPORT("wasi:io/streams", "[resource-drop]input-stream") void input_drop(handle self);
IMPORT("wasi:io/streams", "[resource-drop]output-stream") void output_drop(handle self);
IMPORT("wasi:sockets/network", "[resource-drop]network") void network_drop(handle self);
IMPORT("wasi:sockets/instance-network", "instance-network") handle instance_network(void);

#define LOOKUP "wasi:sockets/ip-name-lookup"
IMPORT(LOOKUP, "resolve-addresses")
void resolve_addresses(handle network, const char *name, size_t length, result_handle *result);
IMPORT(LOOKUP, "[method]resolve-address-stream.resolve-next-address")
void resolve_next(handle self, result_address *result);
IMPORT(LOOKUP, "[method]resolve-address-stream.subscribe") handle resolve_subscribe(handle self);
IMPORT(LOOKUP, "[resource-drop]resolve-address-stream") void resolve_drop(handle self);

#define TCP "wasi:sockets/tcp"
IMPORT("wasi:sockets/tcp-create-socket", "create-tcp-socket")
void create_tcp_socket(int32_t family, result_handle *result);
// The address is a variant: the case number, then as many slots as its longest case, IPv6, has.
IMPORT(TCP, "[method]tcp-socket.start-connect")
void start_connect(handle self, handle network, int32_t family, int32_t port, int32_t a, int32_t b, int32_t c,
                   int32_t d, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, result_unit *result);
IMPORT(TCP, "[method]tcp-socket.finish-connect") void finish_connect(handle self, result_streams *result);
IMPORT(TCP, "[method]tcp-socket.subscribe") handle tcp_subscribe(handle self);
IMPORT(TCP, "[resource-drop]tcp-socket") void tcp_drop(handle self);

static const char *const codes[] = {
    "unknown",           "access-denied",      "not-supported",      "invalid-argument",
    "out-of-memory",     "timeout",            "concurrency-conflict", "not-in-progress",
    "would-block",       "invalid-state",      "new-socket-limit",   "address-not-bindable",
    "address-in-use",    "remote-unreachable", "connection-refused", "connection-reset",
    "connection-aborted", "datagram-too-large", "name-unresolvable", "temporary-resolver-failure",
    "permanent-resolver-failure",
};
enum { WOULD_BLOCK = 8 };

// One call at a time, and nothing of it outlives the call: static memory will do.
static char text[128];
static result_text outcome;
static char parameters[4096];

EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t align, size_t new_size) {
  (void)old, (void)old_size, (void)align;
  if (new_size > sizeof parameters) __builtin_trap();
  return parameters;
}

static char *append(char *end, const char *from) {
  while (*from) *end++ = *from++;
  return end;
}

static result_text *ok(void) {
  outcome = (result_text){.is_err = 0};
  return &outcome;
}

static result_text *failed(const char *step, const char *reason) {
  char *end = append(append(append(text, step), ": "), reason);
  outcome = (result_text){1, text, (size_t)(end - text)};
  return &outcome;
}

static void wait(handle pollable) {
  pollable_block(pollable);
  pollable_drop(pollable);
}

EXPORT("lookup") result_text *lookup(const char *name, size_t length) {
  handle network = instance_network();
  result_handle stream;
  resolve_addresses(network, name, length, &stream);
  network_drop(network);
  if (stream.is_err) return failed("resolve-addresses", codes[stream.err]);

  result_address address;
  for (;;) {
    resolve_next(stream.ok, &address);
    if (!address.is_err || address.err != WOULD_BLOCK) break;
    wait(resolve_subscribe(stream.ok));
  }
  resolve_drop(stream.ok);
  if (address.is_err) return failed("resolve-next-address", codes[address.err]);
  return (address.ok.some & 0xff) ? ok() : failed("resolve-next-address", "no address");
}

static result_text *connect_streams(handle socket, handle network, int32_t port, result_streams *streams) {
  result_unit started;
  start_connect(socket, network, 0, port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, &started);
  if (started.is_err) return failed("start-connect", codes[started.err]);

  for (;;) {
    finish_connect(socket, streams);
    if (!streams->is_err || streams->err != WOULD_BLOCK) break;
    wait(tcp_subscribe(socket));
  }
  return streams->is_err ? failed("finish-connect", codes[streams->err]) : ok();
}

static result_text *connect_socket(handle socket, handle network, int32_t port) {
  result_streams streams;
  result_text *result = connect_streams(socket, network, port, &streams);
  if (result->is_err) return result;
  input_drop(streams.ok.input);
  output_drop(streams.ok.output);
  return result;
}

EXPORT("connect") result_text *connect(int32_t port) {
  result_handle socket;
  create_tcp_socket(0, &socket);
  if (socket.is_err) return failed("create-tcp-socket", codes[socket.err]);
  handle network = instance_network();
  result_text *result = connect_socket(socket.ok, network, port);
  network_drop(network);
  tcp_drop(socket.ok);
  return result;
}

EXPORT("leave") result_text *leave(int32_t port) {
  result_handle socket;
  create_tcp_socket(0, &socket);
  if (socket.is_err) return failed("create-tcp-socket", codes[socket.err]);
  handle network = instance_network();
  result_streams streams;
  result_text *result = connect_streams(socket.ok, network, port, &streams);
  network_drop(network);
  return result;
}
