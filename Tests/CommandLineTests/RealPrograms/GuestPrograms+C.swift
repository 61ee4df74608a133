/// The sources of programs that RealProgramTests builds and runs.
enum GuestPrograms {
  /// 64 threads that wait in different ways, a third of them on the smallest stacks, cancelled or woken, and joined.
  static let threads = #"""
    #include <pthread.h>
    #include <semaphore.h>
    #include <stdio.h>
    #include <unistd.h>

    enum { count = 64 };
    static int ends[2], go, cleaned[count];
    static sem_t ready;
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

    static void clean(void *place) { ++*(int *)place; }

    static void *body(void *number) {
      long i = (long)number;
      char byte;
      pthread_cleanup_push(clean, &cleaned[i]);
      sem_post(&ready);
      switch (i % 4) {
      case 0: (void)!read(ends[0], &byte, 1); break;
      case 1: sleep(100); break;
      case 2:
        pthread_mutex_lock(&mutex);
        while (!go) pthread_cond_wait(&condition, &mutex);
        pthread_mutex_unlock(&mutex);
        break;
      default: pause();
      }
      pthread_cleanup_pop(0);
      return number;
    }

    int main(void) {
      pthread_t threads[count];
      pthread_attr_t small;
      pthread_attr_init(&small);
      long least = sysconf(_SC_THREAD_STACK_MIN); /* of musl's 2 KiB not even a signal has room */
      pthread_attr_setstacksize(&small, least > 16384 ? (size_t)least : 16384);
      if (pipe(ends) != 0 || sem_init(&ready, 0, 0) != 0) return 1;
      for (int round = 0; round < 3; round++) {
        int cancelled = 0;
        long sum = 0;
        go = 0;
        for (long i = 0; i < count; i++) {
          cleaned[i] = 0;
          if (pthread_create(&threads[i], i & 8 ? &small : NULL, body, (void *)i) != 0) return 2;
        }
        for (int i = 0; i < count; i++) sem_wait(&ready);
        for (int i = 0; i < count; i++)
          if (i % 4 != 2) pthread_cancel(threads[i]);
        pthread_mutex_lock(&mutex);
        go = 1;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
        for (int i = 0; i < count; i++) {
          void *result;
          pthread_join(threads[i], &result);
          if (result == PTHREAD_CANCELED) cancelled++;
          else sum += (long)result;
          sum += cleaned[i] * 1000;
        }
        printf("round %d: %d cancelled, sum %ld\n", round, cancelled, sum);
      }
      return 3;
    }
    """#

  /// Threads that end at once, half of them detached.
  static let shortThreads = #"""
    #include <pthread.h>
    #include <stdio.h>
    #include <unistd.h>

    static void *body(void *number) {
      usleep((unsigned)((long)number % 7 * 100));
      if ((long)number & 1) pthread_detach(pthread_self());
      return number;
    }

    int main(void) {
      for (int round = 0; round < 20; round++) {
        pthread_t threads[16];
        long sum = 0;
        for (long i = 0; i < 16; i++)
          if (pthread_create(&threads[i], NULL, body, (void *)i) != 0) return 1;
        for (int i = 0; i < 16; i += 2) {
          void *result;
          pthread_join(threads[i], &result);
          sum += (long)result;
        }
        if (sum != 56) return 2;
      }
      char line[64] = "";
      FILE *pipe = popen("echo from a child", "r");
      if (pipe == NULL || fgets(line, sizeof line, pipe) == NULL) return 3;
      fputs(line, stdout);
      return pclose(pipe) == 0 ? 4 : 5;
    }
    """#

  /// Handlers on an alternate stack of 8 KB that make calls and jump away, and what that stack is then.
  static let jumps = #"""
    #define _GNU_SOURCE
    #include <setjmp.h>
    #include <signal.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/time.h>
    #include <unistd.h>

    static sigjmp_buf landing;
    static volatile int jumped;

    static void jump(int signal) {
      (void)signal;
      jumped++;
      getppid();
      siglongjmp(landing, 1);
    }

    int main(void) {
      stack_t stack = {.ss_sp = malloc(8192), .ss_size = 8192}, found;
      struct sigaction action = {.sa_handler = jump, .sa_flags = SA_ONSTACK};
      sigaltstack(&stack, NULL);
      sigaction(SIGSEGV, &action, NULL);
      sigaction(SIGUSR1, &action, NULL);
      sigaction(SIGALRM, &action, NULL);
      for (volatile int i = 0; i < 1000; i++) {
        if (sigsetjmp(landing, 1) != 0) continue;
        if (i & 1) *(volatile int *)8 = 1;
        raise(SIGUSR1);
      }
      printf("%d jumps\n", jumped);
      struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
      int ends[2];
      if (pipe(ends) != 0) return 1;
      jumped = 0;
      volatile int armed = 0;
      while (jumped < 200) {
        char byte;
        if (sigsetjmp(landing, 1) != 0) continue;
        /* Not before there is a place to land: the last one is in the loop above. */
        if (!armed) {
          armed = 1;
          setitimer(ITIMER_REAL, &often, NULL);
        }
        (void)!read(ends[0], &byte, 1);
      }
      setitimer(ITIMER_REAL, &never, NULL);
      sigaltstack(NULL, &found);
      printf("stack %d %zu %d\n", found.ss_sp == stack.ss_sp, found.ss_size, found.ss_flags);
      long result;
      __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
      printf("by int 0x80: %d\n", result == getpid());
      return 6;
    }
    """#

  /// Masks with SIGSYS in them, and pointers to nowhere.
  static let masks = #"""
    #define _GNU_SOURCE
    #include <errno.h>
    #include <signal.h>
    #include <stdio.h>
    #include <sys/syscall.h>
    #include <sys/wait.h>
    #include <unistd.h>

    static volatile int delivered;
    static void handle(int signal) {
      (void)signal;
      delivered++;
    }

    static void show(const char *what) {
      sigset_t mask;
      sigprocmask(SIG_BLOCK, NULL, &mask);
      printf("%s:", what);
      for (int i = 1; i <= 64; i++)
        if (sigismember(&mask, i) == 1) printf(" %d", i);
      printf("\n");
    }

    static void try(const char *name, long number, long a, long b, long c, long d, long e, long f) {
      long result = syscall(number, a, b, c, d, e, f);
      printf("%s %ld %d\n", name, result, result == -1 ? errno : 0);
    }

    int main(void) {
      sigset_t all, none, one;
      sigfillset(&all);
      sigemptyset(&none);
      sigemptyset(&one);
      sigaddset(&one, SIGSYS);
      sigprocmask(SIG_SETMASK, &all, NULL);
      show("everything");
      sigprocmask(SIG_UNBLOCK, &one, NULL);
      show("but SIGSYS");
      sigprocmask(SIG_SETMASK, &none, NULL);
      show("nothing");
      signal(SIGSYS, handle);
      sigprocmask(SIG_BLOCK, &one, NULL);
      show("SIGSYS");
      kill(getpid(), SIGSYS);
      kill(getpid(), SIGSYS);
      printf("delivered while blocked: %d\n", delivered);
      sigprocmask(SIG_UNBLOCK, &one, NULL);
      printf("delivered after it: %d\n", delivered);
      try("rt_sigprocmask", SYS_rt_sigprocmask, 0, 8, 0, 8, 0, 0);
      try("rt_sigprocmask", SYS_rt_sigprocmask, 0, 0, 8, 8, 0, 0);
      try("rt_sigaction", SYS_rt_sigaction, SIGSYS, 8, 0, 8, 0, 0);
      try("rt_sigaction", SYS_rt_sigaction, SIGUSR1, 8, 0, 8, 0, 0);
      try("rt_sigsuspend", SYS_rt_sigsuspend, 8, 8, 0, 0, 0, 0);
      try("sigaltstack", SYS_sigaltstack, 8, 0, 0, 0, 0, 0);
      try("clone3", SYS_clone3, 8, 88, 0, 0, 0, 0);
      try("ppoll", SYS_ppoll, 0, 0, 8, 8, 8, 0);
      try("pselect6", SYS_pselect6, 0, 0, 0, 0, 0, 8);
      try("epoll_pwait", SYS_epoll_pwait, -1, 8, 1, 0, 8, 8);
      try("execve", SYS_execve, 8, 0, 0, 0, 0, 0);
      try("munmap", SYS_munmap, 1, 1, 0, 0, 0, 0);
      fflush(stdout);
      int status;
      pid_t child = fork();
      if (child == 0) raise(SIGSEGV);
      waitpid(child, &status, 0);
      printf("status %x\n", status & 0x7f);
      return 7;
    }
    """#
}
