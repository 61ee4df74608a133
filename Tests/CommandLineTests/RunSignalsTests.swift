import Glibc
import SystemPackage
import Testing

/// Signals under `cordon run`: who gets them, how often, and what becomes of SIGSYS, which is Cordon's own.
@Suite(.timeLimit(.ofPrograms)) struct RunSignalsTests {
  private func has(_ tools: String...) -> Bool {
    for tool in tools where access("/usr/bin/\(tool)", X_OK) != 0 {
      print("not tested here, since \(tool) is not installed")
      return false
    }
    return true
  }

  /// A terminal shows the same, byte for byte, whatever is typed: ^C, ^Z, fg, bg, end of file, kill of a whole job.
  @Test func jobControl() async throws {
    guard has("python3", "bash", "perl") else { return }
    let folder = try TemporaryFolder()
    let script = try folder.write(Array(GuestPrograms.terminal.utf8), to: "terminal.py")
    let native = try await CordonBinary.run("/usr/bin/python3", [script, ""], in: folder.path)
    let outcome = try await CordonBinary.run(
      "/usr/bin/python3", [script, "\(CordonBinary.path.string) run --all --"], in: folder.path)
    #expect(native.output.contains("CONT 1 HUP 3 USR1 3"), "\(native.output)")
    #expect(outcome.output == native.output)
  }

  /// A script without job control, where everybody is in one process group.
  @Test func aSignalToTheWholeGroupArrivesOnce() async throws {
    guard has("perl", "setsid") else { return }
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      exec setsid sh -c '
      trap : USR1 USR2
      "$cordon" run --all perl -e "sub note { open F, q(>>count); syswrite F, q(x); close F } \\$SIG{USR1} = sub { \\$n++; note }; \\$SIG{USR2} = sub { \\$m++; note }; \\$SIG{TERM} = sub { print qq(\\$n \\$m\\n); exit 0 }; note; select(undef, undef, undef, 1) while 1" &
      : >> count
      came() { while [ "$(wc -c < count)" -lt $1 ]; do sleep 0.02; done; }
      came 1
      for i in 2 4 6 8 10; do kill -USR1 0; came $i; kill -USR2 $!; came $((i + 1)); done
      kill -TERM $!; wait $!'
      """, in: folder.path)
    #expect(outcome.output == "5 5\n", "\(outcome.error)")
  }

  /// What is ignored or blocked stays so in a program that is executed (execve(2)).
  @Test(arguments: ["--all", "--trap=libnone.so", "--mechanism=sud"])
  func anIgnoredOrBlockedSIGSYSIsInherited(_ option: String) async throws {
    guard has("python3") else { return }
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try TemporaryFolder()
    let script = try folder.write(
      Array(
        #"""
        import os, signal, sys

        SHOW = "import signal; print(signal.getsignal(signal.SIGSYS), signal.pthread_sigmask(signal.SIG_BLOCK, []))"

        def show(**attributes):
            sys.stdout.flush()
            os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-c", SHOW], os.environ, **attributes), 0)

        show()
        signal.signal(signal.SIGSYS, signal.SIG_IGN)
        show()
        show(setsigdef=[signal.SIGSYS])
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGSYS])
        show()
        show(setsigmask=[signal.SIGUSR1])
        try:
            os.execv("/nonexistent", ["nonexistent"])
        except OSError as error:
            print(error.errno)
        signal.signal(signal.SIGSYS, signal.SIG_DFL)
        sys.stdout.flush()
        os.execv("/bin/sh", ["sh", "-c", "trap '' SYS; kill -SYS $$; exec sh -c 'kill -SYS $$; echo alive'"])
        """#.utf8), to: "script.py")
    // And so it is for the first program of all, traced or not.
    let block =
      "exec python3 -c 'import os, signal, sys; signal.pthread_sigmask(0, [signal.SIGSYS]); os.execvp(sys.argv[1], sys.argv[1:])'"
    let starts = ["exec", "trap '' SYS; exec", block] + (has("strace") ? [block + " strace -f -o /dev/null"] : [])
    for start in starts {
      let native = try await CordonBinary.shell("\(start) python3 \(script)", in: folder.path)
      let outcome = try await CordonBinary.shell(
        "\(start) \"$cordon\" run \(option) -- python3 \(script)", in: folder.path)
      #expect(native.output.hasSuffix("alive\n"))
      #expect(outcome.output == native.output && outcome.status == native.status, "\(outcome.error)")
    }
  }

  /// What a thread has blocked, its children have blocked, however they are made, and what they execute; and what they
  /// change is theirs alone, however many there are.
  @Test(arguments: ["--all", "--trap=libnone.so", "--mechanism=sud"])
  func childrenHaveABlockedSIGSYSFromTheirMaker(_ option: String) async throws {
    guard Compiler.exists else { return print("not tested here, since gcc is not installed") }
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try TemporaryFolder()
    try await Compiler.build(
      """
      #define _GNU_SOURCE
      #include <sched.h>
      #include <signal.h>
      #include <spawn.h>
      #include <stdio.h>
      #include <string.h>
      #include <sys/wait.h>
      #include <unistd.h>
      extern char **environ;
      static char stack[1 << 16];
      static volatile int seen;
      static void set(int how) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGSYS);
        sigprocmask(how, &set, NULL);
      }
      static int blocks(void) {
        sigset_t set;
        sigprocmask(SIG_BLOCK, NULL, &set);
        return sigismember(&set, SIGSYS);
      }
      static int child(void *unused) {
        seen = blocks();
        _exit(0);
      }
      static void say(const char *who, int blocked) {
        printf("%s %d\\n", who, blocked);
        fflush(stdout);
      }
      static void children(char *name) {
        say("self", blocks());
        if (fork() == 0) {
          say("fork", blocks());
          if (fork() == 0) {
            execl(name, name, "executed", NULL);
            _exit(1);
          }
          wait(NULL);
          set(SIG_UNBLOCK);
          say("unblocked", blocks());
          _exit(0);
        }
        wait(NULL);
        if (vfork() == 0) {
          seen = blocks();
          execl("/nonexistent", name, NULL);
          set(SIG_UNBLOCK);
          seen = 10 * seen + blocks();
          execl("/nonexistent", name, NULL);
          seen = 10 * seen + blocks();
          execl(name, name, "unblocked by vfork", NULL);
        }
        wait(NULL);
        say("vfork", seen);
        clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
        wait(NULL);
        say("clone", seen);
        char *arguments[] = {name, "spawned", NULL};
        pid_t process;
        posix_spawn(&process, name, NULL, NULL, arguments, environ);
        wait(NULL);
        say("self", blocks());
      }
      int main(int count, char **arguments) {
        if (count > 1) return say(arguments[1], blocks()), 0;
        children(arguments[0]);
        set(SIG_BLOCK);
        children(arguments[0]);
        for (int i = 0; i < 1500; i++) {
          if (vfork() == 0) {
            set(SIG_UNBLOCK);
            _exit(0);
          }
          wait(NULL);
        }
        children(arguments[0]);
        set(SIG_UNBLOCK);
        children(arguments[0]);
        return 3;
      }
      """, as: "children", in: folder.path, ["-w"])
    let native = try await CordonBinary.shell("./children", in: folder.path)
    let outcome = try await CordonBinary.shell("\"$cordon\" run \(option) -- ./children", in: folder.path)
    #expect(native.status == 3 && native.output.contains("\nvfork 100\n") && native.output.contains("fork 1\n"))
    #expect(outcome.output == native.output && outcome.status == 3, "\(outcome.error)")
  }

  /// A profile's `kill-thread` ends the thread, and with the last one the process; `kill` ends the process.
  @Test(arguments: ["seccomp", "sud"])
  func kills(_ mechanism: String) async throws {
    guard has("gcc") else { return }
    if mechanism == "sud", Mechanisms.lackDispatch { return }
    let folder = try TemporaryFolder()
    try await Compiler.build(
      #"""
      #include <pthread.h>
      #include <stdio.h>
      static void call(void) {
        long result;
        __asm__ volatile("syscall" : "=a"(result) : "0"(110) : "rcx", "r11", "memory");
      }
      static void *body(void *unused) {
        call();
        puts("goes on");
        return unused;
      }
      int main(int count, char **arguments) {
        pthread_t thread;
        (void)arguments;
        setvbuf(stdout, NULL, _IONBF, 0);
        if (count > 1) call();
        if (pthread_create(&thread, NULL, body, NULL) == 0) printf("joined %d\n", pthread_join(thread, NULL));
        return 3;
      }
      """#, as: "guest", in: folder.path, ["-pthread"])
    for (disposition, arguments, status, output) in [
      ("kill-thread", [], 3, "joined 0\n"), ("kill-thread", ["main"], 128 + SIGSYS, ""), ("kill", [], 128 + SIGSYS, ""),
    ] as [(String, [String], CInt, String)] {
      let profile = try folder.write(
        Array(
          """
          architecture: x86_64
          default: allow
          regions:
            - code: guest
              disposition: {default: allow, calls: [{call: getppid, then: \(disposition)}]}

          """.utf8), to: "profile.yaml")
      let outcome = try await CordonBinary.run(
        CordonBinary.path, ["run", "--mechanism", mechanism, "--profile", profile, folder.file("guest")] + arguments)
      #expect(outcome.status == status && outcome.output == output, "\(disposition) \(arguments): \(outcome.error)")
    }
  }

  /// What a program is executed with stays: the time that it was given, whether it is a program or a text that a shell runs.
  @Test(arguments: ["sleep 60", "./script"])
  func aTimerThatWasSetBeforeEndsIt(_ command: String) async throws {
    guard has("perl") else { return }
    let folder = try TemporaryFolder()
    let script = try folder.write(Array("exec sleep 60\n".utf8), to: "script")
    #expect(chmod(script, 0o755) == 0)
    let outcome = try await CordonBinary.shell(
      "perl -e 'alarm 1; exec @ARGV' \"$cordon\" run --all \(command); echo $?", in: folder.path)
    #expect(outcome.output == "\(128 + SIGALRM)\n", "\(outcome.error)")
  }

  /// The leader of a session, which is the launcher then, is told that there is no terminal any more; and what is queued for
  /// the launcher arrives with its value.
  @Test(.enabled(if: Compiler.exists, "gcc is not installed (apt-get install gcc)"), arguments: ["", "run --all"])
  func aTerminalThatIsHungUpAndAQueuedValue(_ verb: String) async throws {
    let folder = try TemporaryFolder()
    try await Compiler.build(
      #"""
      #include <pty.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/wait.h>
      #include <unistd.h>
      static volatile int value, hung_up;
      static void take(int signal, siginfo_t *info, void *context) {
        if (signal == SIGHUP) hung_up = 1;
        else value = info->si_code == SI_QUEUE ? info->si_value.sival_int : -1;
      }
      int main(int count, char **words) {
        if (strcmp(words[0], "guest") == 0) {
          struct sigaction action = {.sa_sigaction = take, .sa_flags = SA_SIGINFO};
          sigaction(SIGHUP, &action, NULL);
          sigaction(SIGRTMIN + 2, &action, NULL);
          write(1, "!", 1);
          while (value == 0) usleep(1000);
          write(1, "!", 1);
          for (int i = 0; !hung_up && i < 20000; i++) usleep(1000);
          return hung_up && value == 4711 ? 3 : 4;
        }
        int terminal, status;
        char byte = 0;
        pid_t child = forkpty(&terminal, NULL, NULL, NULL);
        if (child == 0) {
          execvp(words[1], words + 1);
          _exit(9);
        }
        while (read(terminal, &byte, 1) == 1 && byte != '!');
        union sigval sent = {.sival_int = 4711};
        sigqueue(child, SIGRTMIN + 2, sent);
        while (read(terminal, &byte, 1) == 1 && byte != '!');
        close(terminal);
        waitpid(child, &status, 0);
        printf("%x\n", status);
        return 0;
      }
      """#, as: "host", in: folder.path, ["-lutil"])
    try #require(symlink("host", folder.file("guest")) == 0)
    let outcome = try await CordonBinary.shell(
      "PATH=.:$PATH; ./host \(verb.isEmpty ? "" : "$cordon \(verb)") guest", in: folder.path)
    #expect(outcome.output == "300\n", "\(outcome.output)\(outcome.error)")
  }
}

/// What this kernel can do.
enum Mechanisms {
  /// Whether there is no syscall user dispatch; says so.
  static var lackDispatch: Bool {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let parts = release.split(separator: ".").prefix(2).compactMap { Int($0.prefix { $0.isNumber }) }
    guard parts.count == 2, (parts[0], parts[1]) < (5, 11) else { return false }
    print("not tested here: syscall user dispatch exists since Linux 5.11")
    return true
  }
}
