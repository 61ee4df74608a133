import Glibc
import SystemPackage
import Testing

/// Signals in the middle of an execve(2) under `cordon run`, while the launcher puts the agent in or the call fails: none is
/// lost, none comes twice, and none that is meant to end a program leaves it running.
@Suite(.timeLimit(.ofPrograms), .enabled(if: Compiler.exists, "gcc is not installed (apt-get install gcc)"))
struct RunExecSignalsTests {
  /// The launcher follows a thread that wants to execute a program, and lets it go when that has failed.
  @Test(arguments: ["--all", "--trap=libnone.so", "--all --mechanism sud"])
  func signalsWhileTheCallFails(_ option: String) async throws {
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try TemporaryFolder()
    try await Compiler.build(
      #"""
      #include <errno.h>
      #include <pthread.h>
      #include <signal.h>
      #include <stdio.h>
      #include <unistd.h>
      static volatile int got, is_over;
      static void handle(int signal) { (void)signal, got++; }
      static void *send(void *target) {
        union sigval value = {0};
        for (int i = 0; i < 2000; i++) {
          while (pthread_sigqueue(*(pthread_t *)target, SIGRTMIN, value) != 0) usleep(100);
          for (volatile int wait = i % 64 * 500; wait > 0; wait--) {}
        }
        is_over = 1;
        return NULL;
      }
      int main(void) {
        pthread_t self = pthread_self(), sender;
        signal(SIGRTMIN, handle);
        if (pthread_create(&sender, NULL, send, &self) != 0) return 1;
        while (!is_over)
          if (execl("/nonexistent", "nonexistent", NULL) != -1 || errno != ENOENT) return 2;
        pthread_join(sender, NULL);
        printf("%d\n", got);
        return 3;
      }
      """#, as: "guest", in: folder.path, ["-D_GNU_SOURCE", "-pthread"])
    let outcome = try await CordonBinary.shell("exec \"$cordon\" run \(option) -- ./guest", in: folder.path)
    #expect(outcome.output == "2000\n" && outcome.status == 3, "\(outcome.error)")
  }

  /// Whatever a program is in the middle of when it is signalled, it ends of that signal; and nobody says that it was Cordon
  /// who ended it. Every other one is executed by a thread that is not its process's first.
  @Test(arguments: ["--all", "--trap=libnone.so", "--all --mechanism sud"], [SIGTERM, SIGKILL])
  func programsEndOfTheirSignals(_ option: String, _ signal: CInt) async throws {
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try TemporaryFolder()
    try await Compiler.build("#include <unistd.h>\nint main(void) { for (;;) pause(); }", as: "waits", in: folder.path)
    try await Compiler.build(
      #"""
      #include <pthread.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <sys/wait.h>
      #include <unistd.h>
      static void *execute(void *unused) {
        execl("./waits", "waits", NULL);
        _exit(1);
        return unused;
      }
      static int wrong_of(int signal) {
        int wrong = 0;
        for (int i = 0; i < 150; i++) {
          pid_t child = fork();
          if (child < 0) return 200; /* kill(2) takes -1 for everybody */
          if (child == 0) {
            pthread_t thread;
            if (i % 2 == 0 || pthread_create(&thread, NULL, execute, NULL) != 0) execute(NULL);
            for (;;) pause();
          }
          usleep((unsigned)(i * 37 % 4000));
          kill(child, signal);
          int status;
          wrong += waitpid(child, &status, 0) != child || !WIFSIGNALED(status) || WTERMSIG(status) != signal;
        }
        return wrong;
      }
      int main(int count, char **words) {
        int status, wrong = 0;
        for (int i = 0; i < 4; i++)
          if (fork() == 0) _exit(wrong_of(atoi(words[count - 1])));
        while (wait(&status) > 0) wrong += status != 0;
        printf("%d\n", wrong);
        return 3;
      }
      """#, as: "guest", in: folder.path, ["-D_GNU_SOURCE", "-pthread"])
    let outcome = try await CordonBinary.shell(
      "exec timeout -k 5 900 \"$cordon\" run \(option) -- ./guest \(signal)", in: folder.path)
    #expect(outcome.output == "0\n" && outcome.status == 3)
    #expect(!outcome.error.contains("is ended") && !outcome.error.contains("cannot"), "\(outcome.error)")
  }

  /// What is being executed when the first program ends has its agent before the launcher goes into the background.
  @Test func theFirstProgramEndsWhileAnotherIsExecuted() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      i=0; while [ $i -lt 40 ]; do i=$((i+1))
        "$cordon" run --all -- sh -c '(exec /bin/echo late >> lines 2>> messages) & (exec /bin/echo late >> lines 2>> messages) & exit 3'
        [ $? = 3 ] || echo wrong
      done
      i=0; while [ "$(wc -l < lines)" -lt 80 ] && [ $i -lt 6000 ]; do sleep 0.02; i=$((i+1)); done
      wc -l < lines; cat messages
      """, in: folder.path)
    #expect(outcome.output == "80\n" && outcome.error.isEmpty, "\(outcome.output) \(outcome.error)")
  }

  /// What is sent to the whole process group comes once, also where the next one is on its heels, while the launcher looks for
  /// whom the last one was; and what is sent to the launcher alone comes too.
  @Test func signalsToTheGroupAndToTheLauncher() async throws {
    let folder = try TemporaryFolder()
    try await Compiler.build(
      #"""
      #include <signal.h>
      #include <stdio.h>
      #include <sys/wait.h>
      #include <unistd.h>
      #define ROUNDS 1000
      static int ends[2], counts[65];
      static pid_t launcher;
      static void note(int signal) {
        counts[signal]++;
        if (write(ends[1], "x", 1) != 1) _exit(4);
      }
      static void report(int signal) {
        (void)signal;
        dprintf(1, "%d %d %d %d\n", counts[SIGUSR1], counts[SIGUSR2], counts[SIGHUP], counts[SIGURG]);
        _exit(3);
      }
      static int send(pid_t to, int signal) {
        static int sent;
        char byte;
        for (volatile int wait = sent++ % 64 * 1000; wait > 0; wait--) {}
        return kill(to, signal) != 0 || read(ends[0], &byte, 1) != 1;
      }
      int main(int count, char **words) {
        const int signals[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGURG};
        (void)words;
        if (count > 1) { /* the program that is signalled */
          struct sigaction notes = {.sa_handler = note}, reports = {.sa_handler = report};
          sigfillset(&notes.sa_mask);
          ends[1] = 3;
          for (int i = 0; i < 4; i++) sigaction(signals[i], &notes, NULL);
          sigaction(SIGTERM, &reports, NULL);
          note(0);
          for (;;) pause();
        }
        alarm(900);
        setpgid(0, 0);
        char byte;
        if (pipe(ends) != 0) return 1;
        launcher = fork();
        if (launcher == 0) {
          dup2(ends[1], 3);
          execl("/bin/sh", "sh", "-c", "exec \"$cordon\" run --all -- ./guest program", NULL);
          _exit(2);
        }
        for (int i = 0; i < 4; i++) signal(signals[i], SIG_IGN);
        close(ends[1]);
        if (read(ends[0], &byte, 1) != 1) return 5;
        for (int i = 0; i < ROUNDS; i++) {
          if (send(0, SIGUSR1) || send(0, SIGUSR1) || send(0, SIGUSR2) || send(0, SIGHUP)) return 6;
          /* When this one has come, the launcher has taken all before it. */
          if (send(launcher, SIGURG) || send(launcher, SIGHUP)) return 7;
        }
        kill(launcher, SIGTERM);
        int status;
        waitpid(launcher, &status, 0);
        return WEXITSTATUS(status);
      }
      """#, as: "guest", in: folder.path, ["-D_GNU_SOURCE"])
    let outcome = try await CordonBinary.shell("exec ./guest", in: folder.path)
    #expect(outcome.output == "2000 1000 2000 1000\n" && outcome.status == 3, "\(outcome.output) \(outcome.error)")
  }

  /// What a program and its children send to its parent is not for it.
  @Test func whatTheProgramSendsToTheLauncherDoesNotComeBack() async throws {
    let folder = try TemporaryFolder()
    try await Compiler.build(
      #"""
      #include <signal.h>
      #include <stdio.h>
      #include <unistd.h>
      static volatile int came_back;
      static pid_t child;
      static void note(int signal) { (void)signal, came_back++; }
      static void report(int signal) {
        (void)signal;
        dprintf(1, "%d\n", came_back);
        kill(child, SIGKILL);
        _exit(3);
      }
      static int is_pending(pid_t process, int signal) {
        char path[64], line[256];
        unsigned long mask = 0;
        snprintf(path, sizeof path, "/proc/%d/status", process);
        FILE *file = fopen(path, "r");
        while (fgets(line, sizeof line, file) != NULL && sscanf(line, "ShdPnd: %lx", &mask) != 1) {}
        fclose(file);
        return mask >> (signal - 1) & 1;
      }
      static void send(pid_t launcher) {
        for (int i = 0; i < 100; i++) {
          kill(launcher, SIGUSR1);
          while (is_pending(launcher, SIGUSR1)) usleep(100);
        }
      }
      int main(void) {
        signal(SIGUSR1, note);
        signal(SIGTERM, report);
        pid_t launcher = getppid();
        send(launcher);
        child = fork();
        if (child == 0) {
          send(launcher);
          fclose(fopen("sent", "w"));
        }
        for (;;) pause();
      }
      """#, as: "guest", in: folder.path)
    let outcome = try await CordonBinary.shell(
      "\"$cordon\" run --all ./guest & while ! [ -e sent ]; do sleep 0.02; done; kill -TERM $!; wait $!; echo $?",
      in: folder.path)
    #expect(outcome.output == "0\n3\n", "\(outcome.error)")
  }
}
