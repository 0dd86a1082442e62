/* Read before QuickJS itself when it is built for WASI (see xtask/src/engine/build.rs).
 *
 * QuickJS turns its check of the stack off where it sees WASI, and would be ended by a trap instead of an error that a script can
 * catch. So it is shown a platform with the same libc and no WASI. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#undef __wasi__
/* For `malloc_usable_size`, which wasi-libc has like glibc. */
#define __GLIBC__ 2

/* Compiled Wasm has two stacks. The one in memory, which can be measured, holds what has an address; the other one holds the rest, and
 * overflowing it is a trap. A call of a JavaScript function takes some three times as much of the second as of the first, but the parser,
 * JSON and their like, which call themselves, take some fifteen times as much. What they take is therefore counted five times, since the
 * last function was called.
 *
 * `js_check_stack_overflow(rt, alloca_size)` asks `js_get_stack_pointer()`. Functions of JavaScript give it what they take themselves, the
 * parser 1000, everything else 0. The definition of `js_get_stack_pointer(void)` becomes one of `dayfly_stack_void`. */
static const size_t alloca_size = 8;
static uintptr_t dayfly_stack_base;

static inline uintptr_t dayfly_stack_pointer(uintptr_t here, size_t taken)
{
    if ((taken != 0 && taken != 1000) || here > dayfly_stack_base)
        dayfly_stack_base = here;
    uintptr_t counted = 5 * (dayfly_stack_base - here);
    return counted < dayfly_stack_base ? dayfly_stack_base - counted : 0;
}

#define js_get_stack_pointer(none) dayfly_stack_##none(none)
#define dayfly_stack_(none) dayfly_stack_pointer(dayfly_stack_void(), alloca_size)
