/* Alternate signal stacks that hold the program's own signal frames but not ours on top of them.

   The kernel takes stacks from 2,048 bytes on, a frame alone has 3,632 with AVX-512, and a trap in a signal handler needs a
   second one. A thread that asks for a small stack is given one of ours, and told that it has what it asked for. What the
   kernel has for the thread says which of ours is in use, and that one remembers what the program believes, so nothing has
   to be kept by thread, and signal frames that put an older stack back in place put the belief back too.

   A stack is the thread's until that has ended: a frame that the kernel restores later may name it. One that is given
   back is used for the thread's next one, if it has two others like it; the stacks of threads that have ended are anyone's. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM 0x80000000u
#define MINSIGSTKSZ 2048
#define PROT_NONE 0
#define PROT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS_NORESERVE 0x4022
#define FP_XSTATE_MAGIC1 0x46505853u

#define RED_ZONE 128
#define USER_CODE_64 0x33

#define PAGE 4096
#define MAPPING_SIZE (128 * 1024) /* a page for the struct below, one that faults, and the stack */
#define STACK_OFFSET (2 * PAGE)
#define SMALL (20 * 1024)
#define KEPT_BY_A_THREAD 2 /* of those it has given back, for frames that name them */
#define ASKED_AT_ONCE 32   /* of the stacks of others, whether their threads have ended */

typedef struct CordonSpareStack {
  struct CordonSpareStack *next;
  _Atomic(uint64_t) owner;      /* process and thread, in the upper and the lower half */
  _Atomic(uint32_t) given_back; /* 0: in place; else when it was, the higher the later */
  KernelStack own;              /* what the program believes to have in its place */
} CordonSpareStack;

static CordonSpareStack *newest(void) {
  return (CordonSpareStack *)__atomic_load_n((uint64_t *)&cordon_engine.stacks, __ATOMIC_ACQUIRE);
}

static uint64_t this_thread(void) {
  uint64_t process = (uint64_t)cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  return process << 32 | (uint32_t)cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0);
}

static uint64_t start_of(const CordonSpareStack *spare) { return (uint64_t)spare + STACK_OFFSET; }

/* The one of ours that the kernel has for the thread; NULL if it has none, or one of the program's. */
static CordonSpareStack *spare_at(const KernelStack *stack) {
  CordonSpareStack *spare = newest();
  while (spare != NULL && start_of(spare) != stack->pointer) spare = spare->next;
  return spare;
}

static int is_disabled(const KernelStack *stack) {
  return stack->size == 0 || ((uint32_t)stack->flags & ~SS_AUTODISARM) == SS_DISABLE;
}

/* Frames have the size of the register state that the kernel saves, which stands in those that it has written. */
static int is_small(const KernelStack *stack, const KernelUcontext *context) {
  if (is_disabled(stack) || stack->size >= MAPPING_SIZE - STACK_OFFSET) return 0;
  uint64_t state = 2696; /* with AVX-512 */
  if (context != NULL && context->fpstate != 0) {
    const uint32_t *software = (const uint32_t *)(context->fpstate + 464); /* struct _fpx_sw_bytes */
    if (software[0] == FP_XSTATE_MAGIC1) state = software[1];
  }
  uint64_t enough = 4 * (state + sizeof(KernelUcontext) + sizeof(KernelSiginfo)) + PAGE;
  if (enough < SMALL) enough = SMALL;
  return stack->size < enough;
}

static int is_on(const KernelStack *stack, uint64_t rsp) {
  return !((uint32_t)stack->flags & SS_AUTODISARM) && rsp > stack->pointer && rsp - stack->pointer <= stack->size;
}

static CordonSpareStack *new_spare(uint64_t owner) {
  long at = cordon_engine.call(CORDON_NR_mmap, 0, MAPPING_SIZE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
  if (at < 0 && at > -4096) return NULL;
  (void)cordon_engine.call(CORDON_NR_mprotect, at + PAGE, PAGE, PROT_NONE, 0, 0, 0);
  CordonSpareStack *spare = (CordonSpareStack *)at;
  __atomic_store_n((uint64_t *)&spare->owner, owner, __ATOMIC_RELAXED);
  uint64_t first = __atomic_load_n((uint64_t *)&cordon_engine.stacks, __ATOMIC_ACQUIRE);
  do {
    spare->next = (CordonSpareStack *)first;
  } while (!__atomic_compare_exchange_n((uint64_t *)&cordon_engine.stacks, &first, (uint64_t)spare, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE));
  return spare;
}

/* Only threads of this process are asked after: what a forked child has inherited may be in use by its one thread. */
static int has_ended(uint64_t owner, uint64_t asking) {
  return owner >> 32 == asking >> 32 && owner != asking &&
         cordon_engine.call(CORDON_NR_tgkill, (long)(owner >> 32), (long)(uint32_t)owner, 0, 0, 0, 0) == -CORDON_ESRCH;
}

/* One of ours for this thread: the one that it has for the same stack of the program's, one that it has given back, one
   that a thread has left behind, or a new one. NULL: there is no memory. */
static CordonSpareStack *take_spare(const KernelStack *own) {
  uint64_t thread = this_thread();
  CordonSpareStack *found = NULL, *oldest = NULL;
  uint32_t kept = 0, asked = 0, oldest_time = UINT32_MAX;
  for (CordonSpareStack *spare = newest(); spare != NULL && found == NULL; spare = spare->next) {
    if (__atomic_load_n((uint64_t *)&spare->owner, __ATOMIC_ACQUIRE) != thread) continue;
    uint32_t time = __atomic_load_n((uint32_t *)&spare->given_back, __ATOMIC_ACQUIRE);
    if (spare->own.pointer == own->pointer && spare->own.size == own->size) found = spare;
    if (time == 0) continue;
    kept++;
    if (time <= oldest_time) oldest = spare, oldest_time = time;
  }
  if (found == NULL && kept > KEPT_BY_A_THREAD) found = oldest;
  for (CordonSpareStack *spare = newest(); spare != NULL && found == NULL && asked < ASKED_AT_ONCE; spare = spare->next) {
    uint64_t owner = __atomic_load_n((uint64_t *)&spare->owner, __ATOMIC_ACQUIRE);
    if (owner == thread) continue;
    asked++;
    if (has_ended(owner, thread) &&
        __atomic_compare_exchange_n((uint64_t *)&spare->owner, &owner, thread, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      found = spare;
  }
  if (found == NULL) found = new_spare(thread);
  if (found == NULL) return NULL;
  cordon_copy_words(&found->own, own, sizeof *own);
  __atomic_store_n((uint32_t *)&found->given_back, 0, __ATOMIC_RELEASE);
  return found;
}

static void give_back(CordonSpareStack *spare) {
  uint32_t time = __atomic_add_fetch((uint32_t *)&cordon_engine.stacks_given_back, 1, __ATOMIC_ACQ_REL);
  __atomic_store_n((uint32_t *)&spare->given_back, time, __ATOMIC_RELEASE);
}

static int use_spare(KernelStack *stack, const KernelStack *own) {
  CordonSpareStack *spare = take_spare(own);
  if (spare == NULL) return 0;
  stack->pointer = start_of(spare);
  stack->size = MAPPING_SIZE - STACK_OFFSET;
  stack->flags = is_disabled(own) ? 0 : own->flags;
  return 1;
}

/* Makes `stack` one of ours if it is too small. */
void cordon_enlarge_stack(const KernelUcontext *context, KernelStack *stack) {
  if (is_small(stack, context) && stack->size >= MINSIGSTKSZ) {
    KernelStack own;
    cordon_copy_words(&own, stack, sizeof own);
    (void)use_spare(stack, &own);
  }
}

/* For a thread whose stack is about to go away, but which will make calls without one. */
void cordon_keep_a_stack(KernelUcontext *context) {
  if (!is_disabled(&context->stack)) return;
  KernelStack own;
  cordon_copy_words(&own, &context->stack, sizeof own);
  (void)use_spare(&context->stack, &own);
}

/* Puts what the program believes in the place of one of ours; 0 where that is what there is already. */
int cordon_show_own_stack(KernelStack *stack) {
  const CordonSpareStack *spare = spare_at(stack);
  if (spare == NULL) return 0;
  cordon_copy_words(stack, &spare->own, sizeof *stack);
  return 1;
}

static long read_stack(KernelStack *stack, uint64_t from, CordonStackLayout layout) {
  if (layout == CordonStack64) return cordon_copy_in(stack, from, sizeof *stack);
  uint32_t words[3];
  long result = cordon_copy_in(words, from, sizeof words);
  stack->pointer = words[0], stack->flags = (int32_t)words[1], stack->padding = 0, stack->size = words[2];
  return result;
}

static long write_stack(uint64_t to, const KernelStack *stack, CordonStackLayout layout) {
  if (layout == CordonStack64) return cordon_copy_out(to, stack, sizeof *stack);
  uint32_t words[3] = {(uint32_t)stack->pointer, (uint32_t)stack->flags, (uint32_t)stack->size};
  return cordon_copy_out(to, words, sizeof words);
}

/* A thread that blocks every signal and gives up its stack is about to end; Go's frees the stack that it runs on too. */
static int is_leaving(const KernelUcontext *context) {
  uint64_t spared = CORDON_UNBLOCKABLE_BITS | cordon_kept_open() | 3ull << 31 /* libc's own signals, 32 and 33 */;
  return (context->mask | spared) == UINT64_MAX;
}

/* What the gate's code for this finds on the stack of the trapped code, below the red zone. */
typedef struct {
  uint64_t rdi, rsi, rcx, r11, rip, cs;
  KernelStack stack;
  uint64_t unused;
} StackCall;
_Static_assert(sizeof(StackCall) == 80, "gate.S");

/* sigaltstack(2) of `stack` by code of the gate's once the handler has returned: the handler itself may run on the stack in
   question, which the kernel then does not let go, not even by rt_sigreturn. */
static long call_after_return(const KernelStack *stack, KernelUcontext *context) {
  CordonRegisters *registers = &context->registers;
  StackCall call;
  call.rdi = registers->rdi;
  call.rsi = registers->rsi;
  call.rcx = registers->rcx;
  call.r11 = registers->r11;
  call.rip = registers->rip;
  call.cs = context->cs;
  cordon_copy_words(&call.stack, stack, sizeof *stack);
  call.unused = 0;
  uint64_t at = registers->rsp - RED_ZONE - sizeof call;
  if (cordon_copy_out(at, &call, sizeof call) != 0) return -CORDON_EFAULT;
  registers->rsp = at;
  registers->rdi = at + offsetof(StackCall, stack);
  registers->rsi = 0;
  registers->rip = cordon_engine.sigaltstack_thunk;
  context->cs = USER_CODE_64;
  return CORDON_NR_sigaltstack;
}

/* The stack that the kernel is to have when the program wants `wanted`; or an error, in the order of the kernel's checks. */
static long choose_stack(const KernelStack *wanted, KernelUcontext *context, KernelStack *stack) {
  CordonSpareStack *spare = spare_at(&context->stack);
  if (is_on(&context->stack, context->registers.rsp)) return -CORDON_EPERM;
  uint32_t mode = (uint32_t)wanted->flags & ~SS_AUTODISARM;
  if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE) return -CORDON_EINVAL;
  cordon_copy_words(stack, wanted, sizeof *stack);
  stack->padding = 0;
  KernelStack own;
  if (mode == SS_DISABLE) {
    stack->pointer = stack->size = 0;
    cordon_copy_words(&own, stack, sizeof own);
    if (is_leaving(context)) (void)use_spare(stack, &own);
  } else {
    if (stack->size < MINSIGSTKSZ) return -CORDON_ENOMEM;
    cordon_copy_words(&own, stack, sizeof own);
    if (is_small(&own, context) && !use_spare(stack, &own)) return -CORDON_ENOMEM;
  }
  if (spare != NULL && stack->pointer != context->stack.pointer) give_back(spare);
  return 0;
}

long cordon_sigaltstack(const CordonTrap *trap, KernelUcontext *context, CordonStackLayout layout) {
  uint64_t new_at = trap->arguments[0], old_at = trap->arguments[1];
  KernelStack wanted, stack, old;
  if (new_at != 0 && read_stack(&wanted, new_at, layout) != 0) return -CORDON_EFAULT;
  CordonSpareStack *spare = spare_at(&context->stack);
  int needs_care = spare != NULL || (new_at != 0 && (is_small(&wanted, context) || is_leaving(context)));
  if (!needs_care) return CORDON_ORDINARY;
  /* By fork it has become another thread's. */
  if (spare != NULL) __atomic_store_n((uint64_t *)&spare->owner, this_thread(), __ATOMIC_RELEASE);

  cordon_copy_words(&old, &context->stack, sizeof old);
  (void)cordon_show_own_stack(&old);
  uint32_t state = old.size == 0 ? SS_DISABLE : is_on(&context->stack, context->registers.rsp) ? SS_ONSTACK : 0;
  old.flags = (int32_t)(state | ((uint32_t)old.flags & SS_AUTODISARM));
  old.padding = 0;
  if (new_at != 0) {
    long result = choose_stack(&wanted, context, &stack);
    if (result != 0) return result;
  }
  if (old_at != 0 && write_stack(old_at, &old, layout) != 0) return -CORDON_EFAULT;
  return new_at != 0 ? call_after_return(&stack, context) : 0;
}

/* For the thread that activates a session: its first trap comes without an earlier one that could have seen to it. */
void cordon_enlarge_calling_stack(void) {
  KernelStack stack, enlarged;
  if (cordon_engine.call(CORDON_NR_sigaltstack, 0, (long)&stack, 0, 0, 0, 0) != 0 || stack.flags & SS_ONSTACK) return;
  cordon_copy_words(&enlarged, &stack, sizeof stack);
  cordon_enlarge_stack(NULL, &enlarged);
  if (enlarged.pointer != stack.pointer) cordon_engine.call(CORDON_NR_sigaltstack, (long)&enlarged, 0, 0, 0, 0, 0);
}

void cordon_restore_calling_stack(void) {
  KernelStack stack;
  if (cordon_engine.call(CORDON_NR_sigaltstack, 0, (long)&stack, 0, 0, 0, 0) == 0 && cordon_show_own_stack(&stack))
    cordon_engine.call(CORDON_NR_sigaltstack, (long)&stack, 0, 0, 0, 0, 0);
}

CORDON_SIGNAL_PATH_END
