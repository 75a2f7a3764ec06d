#include "stack.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plat.h"

#define PAGE ((size_t)4096)                  /* at least; where pages are larger there are no stacks of ours */
#define SLAB_SIZE ((size_t)16 * 1024 * 1024) /* of all stacks of one, about */
#define STACKS_MAX 32                        /* in one: the bits of a mask */
#define WARM ((size_t)16 * 1024)             /* below a thread's last frame, which stay for the next one */
#define SPARE_SLABS 1                        /* that have no thread, for the next ones */

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif

/* In the first page of its mapping. */
typedef struct chief__slab {
    struct chief__slab *next, *before; /* under lock, as all but the next two */
    size_t stack_size;                 /* with the guard; const */
    unsigned n_stacks;                 /* const */
    uint32_t free;                     /* a bit for each stack */
    unsigned n_leaving;
    pid_t leaving[STACKS_MAX]; /* the thread that still ends on it; 0: none */
} slab;

/* Slabs with room come before those without. */
static struct {
    chief__mutex lock; /* all zeroes is a free one */
    slab *first, *last;
    unsigned n_spare;   /* that have no thread */
    unsigned n_leaving; /* in all slabs */
} all;

static uint32_t all_free(const slab *s) { return (uint32_t)((UINT64_C(1) << s->n_stacks) - 1); }

static size_t size_of(const slab *s) { return PAGE + s->n_stacks * s->stack_size; }

static char *bottom(slab *s, unsigned index) { return (char *)s + PAGE + index * s->stack_size; }

/* ---- the list, under lock ---- */

static void take_out(slab *s) {
    if (s->before != NULL) s->before->next = s->next;
    else all.first = s->next;
    if (s->next != NULL) s->next->before = s->before;
    else all.last = s->before;
}

static void put_first(slab *s) {
    s->before = NULL;
    s->next = all.first;
    if (all.first != NULL) all.first->before = s;
    else all.last = s;
    all.first = s;
}

static void put_last(slab *s) {
    s->next = NULL;
    s->before = all.last;
    if (all.last != NULL) all.last->next = s;
    else all.first = s;
    all.last = s;
}

/* ---- a slab ---- */

/* The marks of the newer kernels leave the mapping whole; without them each guard is a mapping of its own. */
static bool guard(void *page) {
    return madvise(page, PAGE, MADV_GUARD_INSTALL) == 0 || mprotect(page, PAGE, PROT_NONE) == 0;
}

/* Huge pages would make each first touch of a stack one of two megabytes. */
static slab *slab_new(size_t stack_size) {
    size_t n = stack_size < SLAB_SIZE ? SLAB_SIZE / stack_size : 1;
    if (n > STACKS_MAX) n = STACKS_MAX;
    size_t size = PAGE + n * stack_size;
    slab *s = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (s == MAP_FAILED) return NULL;
    (void)madvise(s, size, MADV_NOHUGEPAGE);
    s->stack_size = stack_size;
    s->n_stacks = (unsigned)n;
    s->free = all_free(s);
    for (unsigned i = 0; i < s->n_stacks; i++) {
        if (guard(bottom(s, i))) continue;
        (void)munmap(s, size);
        return NULL;
    }
    return s;
}

static void slab_free(slab *s) {
    if (s != NULL) (void)munmap(s, size_of(s));
}

/* Under lock; what it returns is to be freed after that. */
static slab *free_up(slab *s, unsigned index) {
    if (s->free == 0) {
        take_out(s);
        put_first(s);
    }
    s->free |= UINT32_C(1) << index;
    if (s->free != all_free(s)) return NULL;
    if (all.n_spare < SPARE_SLABS) {
        all.n_spare++;
        return NULL;
    }
    take_out(s);
    return s;
}

/* ---- threads that end by themselves ---- */

/* A number that the system has given to another thread since only makes it later. */
static bool has_gone(pid_t thread) { return syscall(SYS_tgkill, getpid(), thread, 0) != 0 && errno == ESRCH; }

/* Under lock. */
static void take_back_from(slab *s) {
    for (unsigned i = 0; i < s->n_stacks && s->n_leaving > 0; i++) {
        if (s->leaving[i] == 0 || !has_gone(s->leaving[i])) continue;
        s->leaving[i] = 0;
        s->n_leaving--;
        all.n_leaving--;
        slab *rest = free_up(s, i);
        slab_free(rest);
        if (rest != NULL) return;
    }
}

/* Under lock: the stacks of those that have gone are free again. */
static void take_back(void) {
    slab *next;
    for (slab *s = all.first; s != NULL && all.n_leaving > 0; s = next) {
        next = s->next;
        if (s->n_leaving > 0) take_back_from(s);
    }
}

/* ---- stacks ---- */

/* Under lock. */
static slab *with_room(size_t stack_size) {
    if (all.n_leaving > 0) take_back();
    slab *s = all.first;
    while (s != NULL && s->free != 0 && s->stack_size != stack_size) s = s->next;
    return s != NULL && s->free != 0 ? s : NULL;
}

/* Under lock, from one with room. */
static chief__stack take_from(slab *s) {
    unsigned i = (unsigned)__builtin_ctz(s->free);
    if (s->free == all_free(s)) all.n_spare--;
    s->free &= s->free - 1;
    if (s->free == 0) {
        take_out(s);
        put_last(s);
    }
    return (chief__stack){.slab = s, .index = i, .base = bottom(s, i) + PAGE, .size = s->stack_size - PAGE};
}

chief__stack chief__stack_take(size_t size) {
    chief__stack none = {.slab = NULL};
    size = (size + PAGE - 1) & ~(PAGE - 1);
    if (size <= 2 * PAGE || size > SIZE_MAX / 2 || (size_t)sysconf(_SC_PAGESIZE) != PAGE) return none;
    chief__lock(&all.lock);
    slab *s = with_room(size);
    if (s == NULL) {
        chief__unlock(&all.lock);
        s = slab_new(size);
        if (s == NULL) return none;
        chief__lock(&all.lock);
        all.n_spare++;
        put_first(s);
    }
    chief__stack stack = take_from(s);
    chief__unlock(&all.lock);
    return stack;
}

void chief__stack_give(chief__stack stack) {
    if (stack.slab == NULL) return;
    chief__lock(&all.lock);
    if (all.n_leaving > 0) take_back();
    slab *rest = free_up(stack.slab, stack.index);
    chief__unlock(&all.lock);
    slab_free(rest);
}

void chief__stack_trim(chief__stack stack) {
    if (stack.slab == NULL) return;
    uintptr_t low = (uintptr_t)stack.base;
    uintptr_t high = ((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(PAGE - 1)) - WARM;
    if (high > low && high < low + stack.size) (void)madvise(stack.base, high - low, MADV_DONTNEED);
}

void chief__stack_leave(chief__stack stack) {
    if (stack.slab == NULL) return;
    chief__lock(&all.lock);
    stack.slab->leaving[stack.index] = (pid_t)syscall(SYS_gettid);
    stack.slab->n_leaving++;
    all.n_leaving++;
    chief__unlock(&all.lock);
}
