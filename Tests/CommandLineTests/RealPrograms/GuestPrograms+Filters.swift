extension GuestPrograms {
  /// A seccomp filter of its own, which also traps and forbids what the engine calls, and a handler of SIGSYS.
  static let filters = #"""
    #define _GNU_SOURCE
    #include <errno.h>
    #include <linux/filter.h>
    #include <linux/seccomp.h>
    #include <signal.h>
    #include <stdio.h>
    #include <sys/prctl.h>
    #include <sys/syscall.h>
    #include <sys/wait.h>
    #include <ucontext.h>
    #include <unistd.h>

    static void handle(int signal, siginfo_t *info, void *context) {
      ucontext_t *user = context;
      printf("signal %d, code %d, call %d, data %d, at the call %d\n", signal, info->si_code,
             info->si_code == 1 ? info->si_syscall : 0, info->si_code == 1 ? info->si_errno : 0,
             info->si_code == 1 && (long)info->si_call_addr == user->uc_mcontext.gregs[REG_RIP]);
      if (info->si_code == 1) user->uc_mcontext.gregs[REG_RAX] = 1234;
    }

    #define IF(number, action) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, action)

    int main(void) {
      struct sock_filter code[] = {
          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
          IF(SYS_getuid, SECCOMP_RET_ERRNO | 77),
          IF(SYS_getgid, SECCOMP_RET_TRAP | 42),
          IF(SYS_getpid, SECCOMP_RET_TRAP | 43),
          IF(SYS_process_vm_readv, SECCOMP_RET_KILL_PROCESS),
          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      };
      struct sock_fprog program = {sizeof code / sizeof code[0], code};
      struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO}, old;
      setvbuf(stdout, NULL, _IONBF, 0);
      long self = getpid();
      sigaction(SIGSYS, &action, &old);
      printf("before: %d\n", old.sa_handler == SIG_DFL);
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      printf("loaded: %ld\n", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
      errno = 0;
      printf("getuid %ld", syscall(SYS_getuid));
      printf(" errno %d\n", errno);
      printf("getgid %ld\n", syscall(SYS_getgid));
      printf("getpid %ld\n", syscall(SYS_getpid));
      sigset_t all, found;
      sigfillset(&all);
      sigprocmask(SIG_BLOCK, &all, NULL);
      sigprocmask(SIG_UNBLOCK, &all, &found);
      printf("mask: %d\n", sigismember(&found, SIGUSR1));
      kill((pid_t)self, SIGSYS);
      sigaction(SIGSYS, NULL, &old);
      printf("still there: %d\n", old.sa_sigaction == handle);
      int status;
      pid_t child = fork();
      if (child == 0) {
        signal(SIGSYS, SIG_DFL);
        syscall(SYS_getgid);
        _exit(1);
      }
      waitpid(child, &status, 0);
      printf("killed by %d\n", WTERMSIG(status));
      child = fork();
      if (child == 0) {
        execl("/bin/echo", "echo", "under the filter", (char *)NULL);
        _exit(1);
      }
      waitpid(child, &status, 0);
      printf("exited with %d\n", WEXITSTATUS(status));
      return 8;
    }
    """#

  /// posix_spawn with every attribute and file action.
  static let spawn = #"""
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <sched.h>
    #include <signal.h>
    #include <spawn.h>
    #include <stdio.h>
    #include <sys/wait.h>
    #include <unistd.h>

    extern char **environ;

    int main(void) {
      posix_spawnattr_t attributes;
      sigset_t some, all;
      struct sched_param parameters = {0};
      setvbuf(stdout, NULL, _IONBF, 0);
      sigemptyset(&some);
      sigaddset(&some, SIGUSR1);
      sigfillset(&all);
      signal(SIGUSR2, SIG_IGN);
      signal(SIGHUP, SIG_IGN);
      posix_spawnattr_init(&attributes);
      posix_spawnattr_setsigmask(&attributes, &some);
      posix_spawnattr_setsigdefault(&attributes, &all);
      posix_spawnattr_setpgroup(&attributes, 0);
      posix_spawnattr_setschedparam(&attributes, &parameters);
      posix_spawnattr_setschedpolicy(&attributes, SCHED_OTHER);
      int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER |
                  POSIX_SPAWN_RESETIDS;
      for (int round = 0; round < 4; round++) {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 5, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        posix_spawn_file_actions_addchdir_np(&actions, "/");
        posix_spawn_file_actions_addclose(&actions, 0);
        posix_spawnattr_setflags(&attributes, flags | (round & 1 ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP));
        char *words[] = {"sh", "-c",
                         "pwd; grep -E 'Sig(Blk|Ign)' /proc/self/status; [ -e /proc/self/fd/5 ] && echo five; exit 7", NULL};
        char *none[] = {"none", NULL};
        int status = -1;
        pid_t child;
        int result = posix_spawnp(&child, "sh", &actions, &attributes, words, environ);
        waitpid(child, &status, 0);
        printf("%d %d\n", result, WEXITSTATUS(status));
        printf("%d\n", posix_spawn(&child, "/does/not/exist", &actions, &attributes, none, environ));
        posix_spawn_file_actions_destroy(&actions);
      }
      return 9;
    }
    """#
}
