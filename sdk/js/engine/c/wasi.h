/* Read before QuickJS itself when it is built for WASI (see xtask/src/engine).
 *
 * QuickJS turns its check of the stack off where it sees WASI, and would be ended by a trap instead of an error that a script can
 * catch. The stack of a Wasm instance can be checked as any other, so QuickJS is shown a platform with the same libc and no WASI. */
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
