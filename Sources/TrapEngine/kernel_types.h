/* What the kernel puts on the stack at a signal delivery, and the numbers that the engine speaks with it. Spelled out
   here because libc's headers describe libc's view (its sigset_t has 1,024 bits, its sigaction another order). */
#ifndef CORDON_KERNEL_TYPES_H
#define CORDON_KERNEL_TYPES_H

#include "TrapEngine.h"

#define CORDON_SIGSYS 31
#define CORDON_SIGNAL_BIT(signal) (1ull << ((signal) - 1))
#define CORDON_SIGSYS_BIT CORDON_SIGNAL_BIT(CORDON_SIGSYS)
#define CORDON_UNBLOCKABLE_BITS ((1ull << (9 - 1)) | (1ull << (19 - 1))) /* SIGKILL, SIGSTOP */

#define CORDON_SYNCHRONOUS_BITS /* what a fault or a trap raises in the thread itself: SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS */ \
  ((1ull << (4 - 1)) | (1ull << (5 - 1)) | (1ull << (7 - 1)) | (1ull << (8 - 1)) | (1ull << (11 - 1)) | CORDON_SIGSYS_BIT)

#define CORDON_EPERM 1
#define CORDON_ESRCH 3
#define CORDON_EINTR 4
#define CORDON_EAGAIN 11
#define CORDON_ENOMEM 12
#define CORDON_EFAULT 14
#define CORDON_EBUSY 16
#define CORDON_EEXIST 17
#define CORDON_EINVAL 22
#define CORDON_ENOSYS 38
#define CORDON_ETIMEDOUT 110

#define CORDON_AUDIT_ARCH_X86_64 0xc000003eu
#define CORDON_AUDIT_ARCH_I386 0x40000003u

enum { /* asm/unistd_64.h */
  CORDON_NR_read = 0,
  CORDON_NR_close = 3,
  CORDON_NR_fstat = 5,
  CORDON_NR_lseek = 8,
  CORDON_NR_mmap = 9,
  CORDON_NR_mprotect = 10,
  CORDON_NR_munmap = 11,
  CORDON_NR_brk = 12,
  CORDON_NR_rt_sigaction = 13,
  CORDON_NR_rt_sigprocmask = 14,
  CORDON_NR_rt_sigreturn = 15,
  CORDON_NR_mremap = 25,
  CORDON_NR_madvise = 28,
  CORDON_NR_shmat = 30,
  CORDON_NR_getpid = 39,
  CORDON_NR_clone = 56,
  CORDON_NR_fork = 57,
  CORDON_NR_vfork = 58,
  CORDON_NR_exit = 60,
  CORDON_NR_exit_group = 231,
  CORDON_NR_shmdt = 67,
  CORDON_NR_ptrace = 101,
  CORDON_NR_getppid = 110,
  CORDON_NR_rt_sigsuspend = 130,
  CORDON_NR_sigaltstack = 131,
  CORDON_NR_prctl = 157,
  CORDON_NR_gettid = 186,
  CORDON_NR_futex = 202,
  CORDON_NR_remap_file_pages = 216,
  CORDON_NR_getdents64 = 217,
  CORDON_NR_restart_syscall = 219,
  CORDON_NR_clock_gettime = 228,
  CORDON_NR_tgkill = 234,
  CORDON_NR_openat = 257,
  CORDON_NR_pselect6 = 270,
  CORDON_NR_ppoll = 271,
  CORDON_NR_epoll_pwait = 281,
  CORDON_NR_rt_tgsigqueueinfo = 297,
  CORDON_NR_process_vm_readv = 310,
  CORDON_NR_process_vm_writev = 311,
  CORDON_NR_seccomp = 317,
  CORDON_NR_pkey_mprotect = 329,
  CORDON_NR_io_pgetevents = 333,
  CORDON_NR_io_uring_enter = 426,
  CORDON_NR_clone3 = 435,
  CORDON_NR_epoll_pwait2 = 441,
};

/* The x32 interface's calls: most have the 64-bit number with this bit, the rest numbers of their own from 512 on. */
#define CORDON_X32_BIT 0x40000000

enum { /* asm/unistd_x32.h, without the bit */
  CORDON_NX_rt_sigaction = 512,
  CORDON_NX_rt_sigreturn = 513,
  CORDON_NX_sigaltstack = 525,
};

enum { /* asm/unistd_32.h */
  CORDON_NI_exit = 1,
  CORDON_NI_exit_group = 252,
  CORDON_NI_fork = 2,
  CORDON_NI_signal = 48,
  CORDON_NI_sigaction = 67,
  CORDON_NI_ssetmask = 69,
  CORDON_NI_sigsuspend = 72,
  CORDON_NI_sigreturn = 119,
  CORDON_NI_clone = 120,
  CORDON_NI_sigprocmask = 126,
  CORDON_NI_prctl = 172,
  CORDON_NI_rt_sigreturn = 173,
  CORDON_NI_rt_sigaction = 174,
  CORDON_NI_rt_sigprocmask = 175,
  CORDON_NI_rt_sigsuspend = 179,
  CORDON_NI_sigaltstack = 186,
  CORDON_NI_vfork = 190,
  CORDON_NI_pselect6 = 308,
  CORDON_NI_ppoll = 309,
  CORDON_NI_epoll_pwait = 319,
  CORDON_NI_io_pgetevents = 385,
  CORDON_NI_pselect6_time64 = 413,
  CORDON_NI_ppoll_time64 = 414,
  CORDON_NI_io_pgetevents_time64 = 416,
  CORDON_NI_io_uring_enter = 426,
  CORDON_NI_clone3 = 435,
  CORDON_NI_epoll_pwait2 = 441,
};

#define CORDON_CLONE_CLEAR_SIGHAND 0x100000000ull

#define CORDON_SYS_SECCOMP 1
#define CORDON_SYS_USER_DISPATCH 2
#define CORDON_SI_TIMER (-2)

#define CORDON_FUTEX_WAIT_PRIVATE 128
#define CORDON_FUTEX_WAKE_PRIVATE 129

#define CORDON_SA_SIGINFO 0x00000004ul
#define CORDON_SA_RESTORER 0x04000000ul
#define CORDON_SA_ONSTACK 0x08000000ul
#define CORDON_SA_RESTART 0x10000000ul
#define CORDON_SA_NODEFER 0x40000000ul
#define CORDON_SA_RESETHAND 0x80000000ul

#define CORDON_SIG_DFL 0ul
#define CORDON_SIG_IGN 1ul

typedef struct {
  uint64_t handler;
  uint64_t flags;
  uint64_t restorer;
  uint64_t mask;
} KernelSigaction;

typedef struct {
  int32_t signo;
  int32_t error;
  int32_t code;
  int32_t padding;
  union {
    struct {
      uint64_t call_address;
      int32_t number;
      uint32_t architecture;
    } sigsys;
    struct {
      int32_t pid;
      uint32_t uid;
      uint64_t value;
    } queued;
    uint8_t size[112];
  };
} KernelSiginfo;

/* struct __kernel_timespec; and times in its nanoseconds. */
typedef struct {
  int64_t seconds, nanoseconds;
} CordonTimespec;
#define CORDON_MILLISECOND 1000000ll
#define CORDON_SECOND 1000000000ll

/* stack_t, as sigaltstack(2) and signal frames have it. */
typedef struct {
  uint64_t pointer;
  int32_t flags;
  int32_t padding;
  uint64_t size;
} KernelStack;

typedef struct {
  uint64_t flags;
  uint64_t link;
  KernelStack stack;
  CordonRegisters registers;
  uint16_t cs, gs, fs, ss;
  uint64_t error, trap_number, old_mask, cr2;
  uint64_t fpstate;
  uint64_t reserved[8];
  uint64_t mask;
} KernelUcontext;

_Static_assert(sizeof(KernelSiginfo) == 128, "siginfo_t of x86-64");
_Static_assert(offsetof(KernelUcontext, mask) == 296, "struct ucontext of x86-64");

#endif
