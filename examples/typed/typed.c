// typed: the functions of typed.wit, written by hand against the component model's canonical ABI
// (https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md).
//
// How values cross, in short:
// 1. Parameters arrive flattened: a record is its fields one after another, a string or a list is a pointer and
//    a length, an option or a variant is its case number and then the payload. Cases of a variant share the
//    payload's slots; where two cases disagree on the type of a slot, both travel in the wider integer.
// 2. The host puts strings and lists into our memory with `cabi_realloc` before it calls us.
// 3. A result of one core value is returned as it is, everything else as a pointer to its memory layout, which
//    is that of the C structs below: natural alignment, case numbers of one byte.
// 4. The host reads the result and then calls `cabi_post_<name>`, where there is one.
//
// Memory: an arena. A call's parameters and results live until its end, then all of it is free again. So
// memory in a reused instance stays at what its largest call needed.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- the arena -------------------------------------------------------------------------------------------

extern unsigned char __heap_base; // the linker's: the end of stack and static data
static uintptr_t arena_top;

#define PAGE ((uintptr_t)65536)

static void *allocate(size_t align, size_t size) {
  if (arena_top == 0) arena_top = (uintptr_t)&__heap_base;
  uintptr_t start = (arena_top + align - 1) & ~(uintptr_t)(align - 1);
  uintptr_t room = UINT32_MAX - start; // 4 GiB is all a wasm32 program can have
  if (size > room) __builtin_trap();
  uintptr_t end = start + size;
  uintptr_t have = __builtin_wasm_memory_size(0) * PAGE;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) == (size_t)-1) {
    __builtin_trap(); // the ABI has no other way to say that memory is short
  }
  arena_top = end;
  return (void *)start;
}

static void free_all(void) { arena_top = (uintptr_t)&__heap_base; }

static void copy(void *to, const void *from, size_t size) {
  unsigned char *target = to;
  const unsigned char *source = from;
  for (size_t i = 0; i < size; i++) target[i] = source[i];
}

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align,
                                                                size_t new_size) {
  void *fresh = allocate(align, new_size);
  if (old_size > 0) copy(fresh, old, old_size < new_size ? old_size : new_size);
  return fresh;
}

// ---- exports ---------------------------------------------------------------------------------------------

#define EXPORT(name) __attribute__((export_name(name)))
#define CALC(name) EXPORT("spear:examples/calc@0.1.0#" name)
#define TROUBLE(name) EXPORT("spear:examples/trouble@0.1.0#" name)

// Every function that is given or gives memory has a post-return that frees it.
#define POST(prefix, name, c_name)                                                                           \
  EXPORT("cabi_post_" prefix name) void post_##c_name(void *result) {                                        \
    (void)result;                                                                                            \
    free_all();                                                                                              \
  }
#define CALC_POST(name, c_name) POST("spear:examples/calc@0.1.0#", name, c_name)

// ---- memory layouts --------------------------------------------------------------------------------------

typedef struct { const char *at; size_t length; } string;
typedef struct { double x, y; } point;
typedef struct { uint8_t some, value; } option_u8;
typedef struct { uint8_t some; uint32_t value; } option_u32;
typedef struct { uint8_t some; option_u8 value; } option_option_u8;
typedef struct { uint8_t is_err; union { int32_t ok; string err; }; } result_s32_string;
typedef struct { uint8_t is_err; union { uint8_t ok; string err; }; } result_u8_string;
typedef struct { uint8_t some; result_u8_string value; } option_result_u8_string;
typedef struct { string *at; size_t length; } list_string;
typedef struct { string full_name; option_u8 age; list_string tags; } person;
typedef struct { uint32_t *at; size_t length; } list_u32;
typedef struct { list_u32 *at; size_t length; } list_list_u32;
typedef struct { result_s32_string *at; size_t length; } list_result;
typedef struct { uint8_t some; int16_t min, max; } option_min_max;
typedef struct { uint8_t tag; union { uint8_t truth; double number; string text; }; } value;

// What the ABI asks for is what C does on wasm32; where it were not, values would arrive as nonsense.
_Static_assert(sizeof(option_option_u8) == 3, "layout of option<option<u8>>");
_Static_assert(sizeof(option_result_u8_string) == 16, "layout of option<result<u8, string>>");
_Static_assert(sizeof(person) == 20 && offsetof(person, tags) == 12, "layout of person");
_Static_assert(sizeof(option_min_max) == 6, "layout of option<tuple<s16, s16>>");
_Static_assert(sizeof(value) == 16 && offsetof(value, number) == 8, "layout of value");

#define NEW(type) ((type *)allocate(_Alignof(type), sizeof(type)))
#define NEW_LIST(type, length) ((type *)allocate(_Alignof(type), list_size(sizeof(type), length)))
#define TEXT(literal) ((string){literal, sizeof(literal) - 1})

// A list of lists can ask for more than 32 bits hold, and the product must not wrap round to a small number.
static size_t list_size(size_t element, size_t length) {
  size_t size;
  if (__builtin_mul_overflow(element, length, &size)) __builtin_trap();
  return size;
}

static string *new_string(const char *at, size_t length) {
  string *result = NEW(string);
  *result = (string){at, length};
  return result;
}

// ---- calc: numbers ---------------------------------------------------------------------------------------

CALC("add") int32_t add(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b); // wraps round: signed overflow is undefined in C
}

CALC("divide") result_s32_string *divide(int32_t a, int32_t b) {
  result_s32_string *result = NEW(result_s32_string);
  result->is_err = b == 0 || (a == INT32_MIN && b == -1);
  if (b == 0) {
    result->err = TEXT("division by zero");
  } else if (result->is_err) {
    result->err = TEXT("overflow");
  } else {
    result->ok = a / b;
  }
  return result;
}
CALC_POST("divide", divide)

CALC("half") option_u32 *half(uint32_t some, uint32_t n) {
  option_u32 *result = NEW(option_u32);
  *result = (option_u32){some != 0, n / 2};
  return result;
}
CALC_POST("half", half)

// ---- calc: text and bytes --------------------------------------------------------------------------------

CALC("greet") string *greet(const char *name, size_t length) {
  static const char hello[] = "Hello, ";
  const size_t prefix = sizeof hello - 1;
  char *text = allocate(1, prefix + length + 1);
  copy(text, hello, prefix);
  copy(text + prefix, name, length);
  text[prefix + length] = '!';
  return new_string(text, prefix + length + 1);
}
CALC_POST("greet", greet)

CALC("shout") uint32_t shout(uint32_t c) {
  if (c >= 'a' && c <= 'z') return c - 32;
  if (c >= 0xe0 && c <= 0xfe && c != 0xf7) return c - 32; // Latin-1 letters, but not the division sign
  return c;
}

CALC("join") string *join(const string *words, size_t count, const char *separator, size_t separator_length) {
  size_t total = 0;
  for (size_t i = 0; i < count; i++) total += words[i].length + (i > 0 ? separator_length : 0);
  char *text = allocate(1, total);
  char *end = text;
  for (size_t i = 0; i < count; i++) {
    if (i > 0) {
      copy(end, separator, separator_length);
      end += separator_length;
    }
    copy(end, words[i].at, words[i].length);
    end += words[i].length;
  }
  return new_string(text, total);
}
CALC_POST("join", join)

CALC("reverse") string *reverse(char *bytes, size_t length) {
  // In place: the parameter is ours until the end of the call.
  for (size_t i = 0; i < length / 2; i++) {
    char first = bytes[i];
    bytes[i] = bytes[length - 1 - i];
    bytes[length - 1 - i] = first;
  }
  return new_string(bytes, length);
}
CALC_POST("reverse", reverse)

// ---- calc: lists -----------------------------------------------------------------------------------------

CALC("sum") uint64_t sum(const uint64_t *values, size_t length) {
  uint64_t total = 0;
  for (size_t i = 0; i < length; i++) total += values[i];
  free_all(); // nothing of the arena is in the result
  return total;
}

// Rows may differ in length: the result has as many rows as the longest has columns, with 0 where one is
// short.
CALC("transpose") list_list_u32 *transpose(const list_u32 *rows, size_t height) {
  size_t width = 0;
  for (size_t y = 0; y < height; y++) {
    if (rows[y].length > width) width = rows[y].length;
  }
  list_list_u32 *result = NEW(list_list_u32);
  *result = (list_list_u32){NEW_LIST(list_u32, width), width};
  for (size_t x = 0; x < width; x++) {
    result->at[x] = (list_u32){NEW_LIST(uint32_t, height), height};
    for (size_t y = 0; y < height; y++) result->at[x].at[y] = x < rows[y].length ? rows[y].at[x] : 0;
  }
  return result;
}
CALC_POST("transpose", transpose)

static result_s32_string parse(string text) {
  const result_s32_string failure = {.is_err = 1, .err = TEXT("not a number")};
  bool negative = text.length > 0 && text.at[0] == '-';
  size_t digits = negative ? 1 : 0;
  if (text.length == digits || text.length > 11) return failure;
  int64_t number = 0; // 11 characters cannot overflow it
  for (size_t i = digits; i < text.length; i++) {
    if (text.at[i] < '0' || text.at[i] > '9') return failure;
    number = number * 10 + (text.at[i] - '0');
  }
  if (negative) number = -number;
  if (number < INT32_MIN || number > INT32_MAX) {
    return (result_s32_string){.is_err = 1, .err = TEXT("out of range")};
  }
  return (result_s32_string){.is_err = 0, .ok = (int32_t)number};
}

CALC("parse-all") list_result *parse_all(const string *texts, size_t count) {
  list_result *result = NEW(list_result);
  *result = (list_result){NEW_LIST(result_s32_string, count), count};
  for (size_t i = 0; i < count; i++) result->at[i] = parse(texts[i]);
  return result;
}
CALC_POST("parse-all", parse_all)

// ---- calc: composed types --------------------------------------------------------------------------------

CALC("translate") point *translate(double x, double y, double by_x, double by_y) {
  point *result = NEW(point);
  *result = (point){x + by_x, y + by_y};
  return result;
}
CALC_POST("translate", translate)

CALC("area") double area(uint32_t shape, double a, double b) {
  switch (shape) {
    case 0: return 3.141592653589793 * a * a; // circle(radius)
    case 1: return a * b;                     // rectangle((width, height))
    default: return 0;                        // empty
  }
}

CALC("invert") uint32_t invert(uint32_t permissions) { return permissions ^ 7; }

CALC("next-color") uint32_t next_color(uint32_t color) { return (color + 1) % 3; }

CALC("older")
person *older(const char *name, size_t name_length, uint32_t has_age, uint32_t age, string *tags,
              size_t tag_count) {
  person *result = NEW(person);
  *result = (person){
      .full_name = {name, name_length},
      .age = {has_age != 0, (uint8_t)(age < 255 ? age + 1 : 255)},
      .tags = {tags, tag_count},
  };
  return result;
}
CALC_POST("older", older)

CALC("min-max") option_min_max *min_max(const int16_t *values, size_t length) {
  option_min_max *result = NEW(option_min_max);
  *result = (option_min_max){length > 0, INT16_MAX, INT16_MIN};
  for (size_t i = 0; i < length; i++) {
    if (values[i] < result->min) result->min = values[i];
    if (values[i] > result->max) result->max = values[i];
  }
  return result;
}
CALC_POST("min-max", min_max)

// ---- calc: options in options, results in values ---------------------------------------------------------

CALC("nested") option_option_u8 *nested(uint32_t outer, uint32_t inner, uint32_t n) {
  option_option_u8 *result = NEW(option_option_u8);
  *result = (option_option_u8){(uint8_t)outer, {(uint8_t)inner, (uint8_t)n}};
  return result;
}
CALC_POST("nested", nested)

// ok(some(n)) → some(ok(n)), ok(none) → none, err(e) → some(err(e)). The two slots after the case number hold
// an option<u8> or a string.
CALC("settle") option_result_u8_string *settle(uint32_t is_err, uint32_t a, uint32_t b) {
  option_result_u8_string *result = NEW(option_result_u8_string);
  *result = (option_result_u8_string){.some = is_err || a != 0, .value = {.is_err = is_err != 0}};
  if (is_err) {
    result->value.err = (string){(const char *)a, b};
  } else {
    result->value.ok = (uint8_t)b;
  }
  return result;
}
CALC_POST("settle", settle)

CALC("ensure") uint32_t ensure(uint32_t ok) { return ok ? 0 : 1; }

// ---- calc: echoes ----------------------------------------------------------------------------------------

CALC("echo-bool") uint32_t echo_bool(uint32_t v) { return v; }
CALC("echo-u8") uint32_t echo_u8(uint32_t v) { return v; }
CALC("echo-s8") int32_t echo_s8(int32_t v) { return v; }
CALC("echo-u16") uint32_t echo_u16(uint32_t v) { return v; }
CALC("echo-s16") int32_t echo_s16(int32_t v) { return v; }
CALC("echo-u32") uint32_t echo_u32(uint32_t v) { return v; }
CALC("echo-s32") int32_t echo_s32(int32_t v) { return v; }
CALC("echo-u64") uint64_t echo_u64(uint64_t v) { return v; }
CALC("echo-s64") int64_t echo_s64(int64_t v) { return v; }
CALC("echo-f32") float echo_f32(float v) { return v; }
CALC("echo-f64") double echo_f64(double v) { return v; }
CALC("echo-char") uint32_t echo_char(uint32_t v) { return v; }

CALC("echo-string") string *echo_string(const char *at, size_t length) { return new_string(at, length); }
CALC_POST("echo-string", echo_string)

// The first slot is a bool, a float's 64 bits or a string's pointer: so it is an i64, whichever case it
// holds.
CALC("echo-value") value *echo_value(uint32_t tag, uint64_t slot, size_t length) {
  value *result = NEW(value);
  result->tag = (uint8_t)tag;
  switch (tag) {
    case 1: result->truth = (uint8_t)slot; break;
    case 2: copy(&result->number, &slot, sizeof slot); break;
    case 3: result->text = (string){(const char *)(uintptr_t)slot, length}; break;
    default: break; // null
  }
  return result;
}
CALC_POST("echo-value", echo_value)

// ---- state, and the same name in three places -------------------------------------------------------------

CALC("count") uint32_t count(void) {
  static uint32_t calls;
  return ++calls;
}

CALC("origin") string *calc_origin(void) { return new_string("calc", 4); }
CALC_POST("origin", calc_origin)

EXPORT("ping") string *ping(void) { return new_string("pong", 4); }
POST("", "ping", ping)

// ---- trouble ---------------------------------------------------------------------------------------------

TROUBLE("crash") void crash(void) { __builtin_trap(); }

TROUBLE("spin") void spin(void) {
  // volatile: otherwise the compiler may reason that nothing happens here
  for (volatile uint32_t n = 0;; n++) {
  }
}

TROUBLE("recurse") uint32_t recurse(uint32_t depth) {
  // The write after the call keeps the compiler from turning the recursion into a loop.
  static volatile uint32_t deepest;
  if (depth == 0) return 0;
  deepest = recurse(depth - 1);
  return deepest + 1;
}

TROUBLE("grow") int32_t grow(uint32_t pages) { return (int32_t)__builtin_wasm_memory_grow(0, pages); }

TROUBLE("origin") string *trouble_origin(void) { return new_string("trouble", 7); }
POST("spear:examples/trouble@0.1.0#", "origin", trouble_origin)
