// fetch: fetches through wasi:http, as a typed component written by hand (see ../typed/typed.c for how values
// cross).

#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(module, name) __attribute__((import_module(module "@0.2.0"), import_name(name)))

typedef int32_t handle;

// Results that are not one core value are written where the last parameter points. An error code is 32 bytes
// long and aligned to 8, because some of its cases carry an optional u64; only its case number is looked at.
typedef struct { _Alignas(8) uint8_t number; uint8_t payload[31]; } error_code;
typedef struct { uint8_t is_err; handle ok; } result_handle;
typedef struct { uint8_t is_err; union { handle ok; error_code err; }; } result_future;
typedef struct { uint8_t is_some; _Alignas(8) uint8_t is_taken; result_future response; } option_response;
typedef struct {
  uint8_t is_err;
  union { struct { const char *bytes; size_t length; } ok; struct { uint32_t number; handle error; } err; };
} result_bytes;
typedef struct { uint8_t is_err; const char *text; size_t length; } result_text;

IMPORT("wasi:io/poll", "[method]pollable.block") void pollable_block(handle self);
IMPORT("wasi:io/poll", "[resource-drop]pollable") void pollable_drop(handle self);
IMPORT("wasi:io/error", "[resource-drop]error") void error_drop(handle self);
IMPORT("wasi:io/streams", "[method]input-stream.blocking-read")
void blocking_read(handle self, int64_t length, result_bytes *result);
IMPORT("wasi:io/streams", "[resource-drop]input-stream") void input_drop(handle self);

#define TYPES "wasi:http/types"
IMPORT(TYPES, "[constructor]fields") handle new_fields(void);
IMPORT(TYPES, "[constructor]outgoing-request") handle new_request(handle headers);
IMPORT(TYPES, "[resource-drop]outgoing-request") void request_drop(handle self);
IMPORT(TYPES, "[method]outgoing-request.set-path-with-query")
int32_t set_path(handle self, int32_t some, const char *text, size_t length);
IMPORT(TYPES, "[method]outgoing-request.set-authority")
int32_t set_authority(handle self, int32_t some, const char *text, size_t length);
IMPORT(TYPES, "[method]outgoing-request.set-scheme")
int32_t set_scheme(handle self, int32_t some, int32_t number, const char *text, size_t length);
IMPORT(TYPES, "[method]future-incoming-response.subscribe") handle future_subscribe(handle self);
IMPORT(TYPES, "[method]future-incoming-response.get") void future_get(handle self, option_response *result);
IMPORT(TYPES, "[resource-drop]future-incoming-response") void future_drop(handle self);
IMPORT(TYPES, "[method]incoming-response.consume") void consume(handle self, result_handle *result);
IMPORT(TYPES, "[resource-drop]incoming-response") void response_drop(handle self);
IMPORT(TYPES, "[method]incoming-body.stream") void body_stream(handle self, result_handle *result);
IMPORT(TYPES, "[resource-drop]incoming-body") void body_drop(handle self);
IMPORT("wasi:http/outgoing-handler", "handle")
void start_request(handle request, int32_t some, handle options, result_future *result);

static const char *const codes[] = {
    "DNS-timeout", "DNS-error", "destination-not-found", "destination-unavailable", "destination-IP-prohibited",
    "destination-IP-unroutable", "connection-refused", "connection-terminated", "connection-timeout",
    "connection-read-timeout", "connection-write-timeout", "connection-limit-reached", "TLS-protocol-error",
    "TLS-certificate-error", "TLS-alert-received", "HTTP-request-denied", "HTTP-request-length-required",
    "HTTP-request-body-size", "HTTP-request-method-invalid", "HTTP-request-URI-invalid",
    "HTTP-request-URI-too-long", "HTTP-request-header-section-size", "HTTP-request-header-size",
    "HTTP-request-trailer-section-size", "HTTP-request-trailer-size", "HTTP-response-incomplete",
    "HTTP-response-header-section-size", "HTTP-response-header-size", "HTTP-response-body-size",
    "HTTP-response-trailer-section-size", "HTTP-response-trailer-size", "HTTP-response-transfer-coding",
    "HTTP-response-content-coding", "HTTP-response-timeout", "HTTP-upgrade-failed", "HTTP-protocol-error",
    "loop-detected", "configuration-error", "internal-error",
};

// One call at a time, and nothing of it outlives the call.
static char arena[65536];
static size_t used;
static char body[4096];
static result_text outcome;

EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t align, size_t new_size) {
  (void)old, (void)old_size;
  used = (used + align - 1) & ~(align - 1);
  if (new_size > sizeof arena - used) __builtin_trap();
  used += new_size;
  return arena + used - new_size;
}

static result_text *failed(const char *reason) {
  used = 0;
  size_t length = 0;
  while (reason[length]) length += 1;
  outcome = (result_text){1, reason, length};
  return &outcome;
}

static result_text *answer(size_t length) {
  used = 0;
  outcome = (result_text){0, body, length};
  return &outcome;
}

// The error, or null and a response.
static const char *request(const char *authority, size_t authority_length, const char *path, size_t path_length,
                           handle *response) {
  handle made = new_request(new_fields());
  if (set_authority(made, 1, authority, authority_length) || set_path(made, 1, path, path_length) ||
      set_scheme(made, 1, 0, 0, 0)) {
    request_drop(made);
    return "HTTP-request-URI-invalid";
  }
  result_future future;
  start_request(made, 0, 0, &future);
  if (future.is_err) return codes[future.err.number];
  option_response got;
  for (future_get(future.ok, &got); !got.is_some; future_get(future.ok, &got)) {
    handle ready = future_subscribe(future.ok);
    pollable_block(ready);
    pollable_drop(ready);
  }
  future_drop(future.ok);
  if (got.response.is_err) return codes[got.response.err.number];
  *response = got.response.ok;
  return 0;
}

EXPORT("leave")
result_text *leave(const char *authority, size_t authority_length, const char *path, size_t path_length) {
  handle response;
  const char *error = request(authority, authority_length, path, path_length, &response);
  return error ? failed(error) : answer(0);
}

EXPORT("get")
result_text *get(const char *authority, size_t authority_length, const char *path, size_t path_length) {
  handle response;
  const char *error = request(authority, authority_length, path, path_length, &response);
  if (error) return failed(error);
  result_handle content, stream;
  consume(response, &content);
  if (content.is_err) return failed("consume");
  body_stream(content.ok, &stream);
  if (stream.is_err) return failed("stream");
  size_t length = 0;
  result_bytes read;
  for (;;) {
    used = 0;
    blocking_read(stream.ok, 1024, &read);
    if (read.is_err) break;
    for (size_t at = 0; at < read.ok.length && length < sizeof body; at += 1) body[length++] = read.ok.bytes[at];
  }
  int closed = (read.err.number & 0xff) == 1;
  if (!closed) error_drop(read.err.error);
  input_drop(stream.ok);
  body_drop(content.ok);
  response_drop(response);
  return closed ? answer(length) : failed("HTTP-response-incomplete");
}
