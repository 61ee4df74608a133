/* Threads and children that arm themselves: the kernel clears syscall user dispatch in every new task. */
#define _GNU_SOURCE
#include "CordonShims.h"
#include "TrapEngine.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

typedef int Create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef struct {
  void *(*routine)(void *);
  void *argument;
} Start;

enum { selector_allow = 0, selector_block = 1 };

static atomic_int following, uses_selector, fork_handled;
static _Thread_local volatile uint8_t selector = selector_block;
static _Thread_local int armed_with_selector;

int32_t cordon_thread_id(void) { return gettid(); }

void cordon_threads_use_selector(int use) { atomic_store(&uses_selector, use); }

long cordon_thread_arm(void) {
  int use = atomic_load(&uses_selector);
  long result = cordon_dispatch_arm(use ? &selector : NULL);
  armed_with_selector = use && result == 0;
  return result;
}

volatile uint8_t *cordon_thread_selector(void) {
  if (!atomic_load(&uses_selector)) return NULL;
  if (!armed_with_selector) (void)cordon_thread_arm();
  return &selector;
}

static void arm_child(void) {
  armed_with_selector = 0;
  if (atomic_load(&following)) (void)cordon_thread_arm();
}

static void *run_armed(void *start) {
  Start mine = *(Start *)start;
  free(start);
  if (atomic_load(&following)) (void)cordon_thread_arm();
  return mine.routine(mine.argument);
}

/* Libc's own under its other name, which only executables have that libc is linked into; those have no dynamic loader to
   ask. They are linked with `-u __pthread_create`, or there is none: a weak reference takes nothing out of an archive. */
extern __attribute__((weak)) Create __pthread_create;

static Create *libc_create(void) {
  static _Atomic(Create *) found;
  if (__pthread_create != NULL) return __pthread_create;
  Create *create = atomic_load(&found);
  if (create == NULL) {
    create = (Create *)dlsym(RTLD_NEXT, "pthread_create");
    atomic_store(&found, create);
  }
  return create;
}

static int create_armed(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument) {
  Create *create = libc_create();
  if (create == NULL) return EAGAIN;
  if (!atomic_load(&following)) return create(thread, attributes, routine, argument);
  Start *start = malloc(sizeof *start);
  if (start == NULL) return EAGAIN;
  *start = (Start){routine, argument};
  int result = create(thread, attributes, run_armed, start);
  if (result != 0) free(start);
  return result;
}

/* In front of libc's for the whole process, since the executable's definitions win. Weak, so that a program or a
   sanitizer with a pthread_create of its own still links; cordon_threads_follow tells that case. */
__attribute__((weak, alias("create_armed"))) Create pthread_create;

static int is_in_front(void) {
  if (__pthread_create != NULL) return pthread_create == create_armed;
  return dlsym(RTLD_DEFAULT, "pthread_create") == (void *)create_armed;
}

long cordon_threads_follow(void) {
  if (!is_in_front()) return -ENOTSUP;
  if (!atomic_load(&fork_handled)) {
    int result = pthread_atfork(NULL, NULL, arm_child);
    if (result != 0) return -result;
    atomic_store(&fork_handled, 1);
  }
  atomic_store(&following, 1);
  return 0;
}

void cordon_threads_unfollow(void) { atomic_store(&following, 0); }
