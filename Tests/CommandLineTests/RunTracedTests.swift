import Glibc
import SystemPackage
import Testing

/// Programs under `cordon run` that somebody else traces: a program has one tracer, so the agent comes another way.
@Suite(.timeLimit(.ofPrograms)) struct RunTracedTests {
  private func has(_ tools: String...) -> Bool {
    for tool in tools where access("/usr/bin/\(tool)", X_OK) != 0 {
      print("not tested here, since \(tool) is not installed")
      return false
    }
    return true
  }

  /// Executes programs of every kind, and what is none, and prints what became of it.
  private static let executions = #"""
    import os, stat, struct, subprocess, sys

    SHOW = '''import os, struct
    def words(path): return open(path, "rb").read().split(b"\\0")
    auxiliary = dict(struct.iter_unpack("QQ", open("/proc/self/auxv", "rb").read()))
    maps = [line.split() for line in open("/proc/self/maps")]
    def holder(address):
        return next((m[-1] for m in maps if int(m[0].split("-")[0], 16) <= address < int(m[0].split("-")[1], 16)), None)
    print(words("/proc/self/cmdline"), open("/proc/self/comm").read().strip(), sorted(os.listdir("/proc/self/fd"), key=int)[:3])
    print([os.path.basename(holder(auxiliary[key])) for key in (3, 7, 9)], auxiliary[5], auxiliary[6], holder(auxiliary[31]))
    print([m[-1] for m in maps if "cordon" in m[-1] or "rwx" in m[1]], len([m for m in maps if m[-1] == "[heap]"]))
    print(os.environ["X"], os.path.basename(os.readlink("/proc/self/exe")) if os.getuid() == 0 else "")
    '''

    def write(name, text, mode=0o755):
        with open(name, "w") as file:
            file.write(text)
        os.chmod(name, mode)

    python = os.path.realpath(sys.executable)
    write("show.py", SHOW)
    write("script", f"#!{python} -s\n" + SHOW)
    write("outer", f"#! {os.getcwd()}/script  two words \t\n")
    write("plain", "echo plain $0 $1\n")
    write("locked", "#!/bin/sh\n", 0o644)
    write("lost", "#!/does/not/exist\n")
    write("empty", "")
    write("blank", "#!   \n")
    write("endless", f"#!{os.getcwd()}/endless\n")
    write("garbage", "\x7fELF")
    os.symlink("script", "link")

    def run(words, path=None, environment={"X": "x"}):
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                os.execve(path or words[0], words, environment)
            except OSError as error:
                print("errno", error.errno)
                sys.stdout.flush()
                os._exit(99)
        print(words[:1] if path is None else path if isinstance(path, str) else "descriptor", os.waitpid(child, 0)[1])

    run(["zero", "show.py", "a", "", "b c"], path=python)
    run(["./script", "a"])
    run(["./outer", "a"])
    run(["./link"])
    run(["./plain", "a"])
    for name in ["locked", "lost", "empty", "blank", "endless", "garbage", "none", ".", "show.py/x"]:
        run(["./" + name])
    run(["name"], path=os.open("script", os.O_RDONLY))
    run(["name", "show.py"], path=os.open(python, os.O_RDONLY | os.O_CLOEXEC))
    run(["self", "show.py", "itself"], path="/proc/self/exe")
    run(["echo", "x" * 100000], path="/bin/echo", environment={"Y": "y" * 100000})
    run(["many"] + ["argument"] * 20000, path="/bin/true")
    for name in sys.argv[1:]:
        run([name, "one", "two"])
        print(subprocess.run([name, "three"], capture_output=True))
    """#

  private static let guest = #"""
    #include <stdio.h>
    #include <stdlib.h>
    #include <unistd.h>
    static int zeros[100000];
    static int ones[100] = {1};
    int main(int count, char **arguments) {
      long sum = 0;
      for (int i = 0; i < 100000; i++) sum += zeros[i];
      char *before = sbrk(0);
      int grows = sbrk(1 << 20) == before;
      printf("%d %s %ld %d %d %d\n", count, arguments[count - 1], sum, ones[0], grows, malloc(10000000) != NULL);
      return 5;
    }
    """#

  private func compare(_ prefix: String, _ option: String, as user: String = "") async throws {
    let folder = try TemporaryFolder()
    let script = try folder.write(Array(Self.executions.utf8), to: "executions.py")
    chmod(folder.path.string, 0o777)
    _ = try folder.write(Array(Self.guest.utf8), to: "guest.c")
    let built = try await CordonBinary.shell(
      """
      for options in "-no-pie" "-pie" "-static" "-static-pie" "-z execstack" "-Wl,-z,max-page-size=0x200000"; do
        gcc -O1 $options -o "guest$(echo "$options" | tr -d ' =,')" guest.c || exit 1; done
      if command -v musl-gcc > /dev/null; then musl-gcc -o guest-musl guest.c && musl-gcc -static -o guest-musl-static guest.c; fi
      mkdir work; chmod 777 work
      """, in: folder.path)
    #expect(built.status == 0, "\(built.error)")
    let command = "rm -rf work/*; cd work && exec %@ \(user) python3 \(script) ../guest-*"
    let native = try await CordonBinary.shell(command.replacing("%@", with: ""), in: folder.path)
    let outcome = try await CordonBinary.shell(
      command.replacing("%@", with: "\"$cordon\" run \(option) -- \(prefix)"), in: folder.path)
    _ = try await CordonBinary.shell("rm -rf work", in: folder.path)
    #expect(native.status == 0 && native.output.contains("errno 8"), "\(native.error)")
    #expect(outcome.status == native.status)
    let (found, expected) = (outcome.output.split(separator: "\n"), native.output.split(separator: "\n"))
    #expect(found.count == expected.count, "\(outcome.error)")
    // A difference of long lines takes long to describe.
    let differing = zip(found, expected).filter { $0 != $1 }.map { "\($0.prefix(200)), not \($1.prefix(200))" }
    #expect(differing.isEmpty, "\(outcome.error)")
  }

  /// All that a program can see of how it was executed is as the kernel has it.
  @Test(arguments: ["--all", "--trap=libnone.so", "--mechanism=sud"])
  func programsThatAreTracedExecutePrograms(_ option: String) async throws {
    guard has("strace", "gcc", "python3") else { return }
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    try await compare("strace -f -o /dev/null", option)
  }

  @Test func soTheyDoWithoutATracer() async throws {
    guard has("gcc", "python3") else { return }
    try await compare("", "--all")
  }

  /// An ordinary user's program that is traced executes itself by /proc/self/exe, which names the loader.
  @Test(arguments: ["--all", "--trap=libnone.so", "--mechanism=sud"])
  func anOrdinaryUsersProgramExecutesItself(_ option: String) async throws {
    guard has("strace", "gcc", "setpriv"), geteuid() == 0 else { return }
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try TemporaryFolder()
    try await Compiler.build(
      """
      #include <unistd.h>
      int main(int count, char **arguments) {
        if (count == 5) return 3;
        char *next[7] = {0};
        for (int i = 0; i < count; i++) next[i] = arguments[i];
        next[count] = "more";
        execv("/proc/self/exe", next);
        return 4;
      }
      """, as: "again", in: folder.path)
    chmod(folder.path.string, 0o755)
    let outcome = try await CordonBinary.shell(
      """
      "$cordon" run \(option) -- setpriv --reuid 65534 --regid 65534 --clear-groups strace -f -o /dev/null ./again
      """, in: folder.path)
    #expect(outcome.status == 3, "\(outcome.error)")
  }

  /// strace(1), started inside, says what it says elsewhere, and more.
  @Test func straceInside() async throws {
    guard has("strace") else { return }
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      timeout -k 5 900 "$cordon" run --all -- strace -f -o trace sh -c 'echo a; /bin/echo b; (exec /bin/echo c); exit 3'; echo $?
      grep -c 'write(1, "[abc].n", 2) *= 2' trace; grep -c exited trace
      """, in: folder.path)
    #expect(outcome.output == "a\nb\nc\n3\n3\n3\n", "\(outcome.error)")
  }

  /// gdb(1) makes its program with vfork(2) and by a shell; it stops it, looks at it and goes on as it does elsewhere.
  @Test(arguments: ["--all", "--trap=libnone.so", "--all --mechanism sud"])
  func gdbInside(_ option: String) async throws {
    guard has("gdb", "gcc") else { return }
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try TemporaryFolder()
    try await Compiler.build(
      """
      #include <signal.h>
      #include <stdio.h>
      #include <unistd.h>
      int next(int number) { return number + 1; }
      int main(void) {
        signal(SIGSYS, SIG_IGN);
        raise(SIGSYS);
        for (int i = 0; i < 20; i++) getppid();
        printf("%d\\n", next(2));
        return 3;
      }
      """, as: "guest", in: folder.path, ["-g", "-fno-inline"])
    let commands = [
      "break next", "run", "signal 0", "bt", "info sharedlibrary", "print number", "finish", "stepi", "continue",
    ]
    let gdb = "gdb -nx -batch \(commands.map { "-ex '\($0)'" }.joined(separator: " ")) ./guest < /dev/null"
    let native = try await CordonBinary.shell("timeout -k 5 900 \(gdb) 2>&1", in: folder.path)
    let outcome = try await CordonBinary.shell(
      "timeout -k 5 900 \"$cordon\" run \(option) -- \(gdb) 2>&1", in: folder.path)
    /// Without process numbers, where libraries lie, and the place of a call that was under way: that is in a thunk.
    func normalised(_ text: String) -> String {
      let places = ["cordon: --trap", "__pthread_kill", "44\t"]
      return text.replacing(#/process \d+|0x0000[0-9a-f]{12}/#, with: "N").split(separator: "\n")
        .filter { line in line != "N in ?? ()" && !places.contains { line.hasPrefix($0) } }.joined(separator: "\n")
    }
    #expect(
      native.output.contains("#0  next (number") && native.output.contains("exited with code 03"), "\(native.output)"
    )
    #expect(normalised(outcome.output) == normalised(native.output))
    #expect(outcome.status == native.status)
  }

  /// As textbooks have it: a forked child asks its parent to trace it, stops itself or not, and executes a program; and
  /// programs ask so that nobody else can trace them.
  @Test(arguments: ["--all", "--trap=libnone.so", "--all --mechanism sud"])
  func childrenThatAskToBeTraced(_ option: String) async throws {
    guard has("gcc") else { return }
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try TemporaryFolder()
    try await Compiler.build(
      #"""
      #include <errno.h>
      #include <signal.h>
      #include <stdio.h>
      #include <string.h>
      #include <sys/ptrace.h>
      #include <sys/user.h>
      #include <sys/wait.h>
      #include <unistd.h>
      static int alone(void) {
        printf("asked %ld %ld %d\n", ptrace(PTRACE_TRACEME, 0, 0, 0), ptrace(PTRACE_TRACEME, 0, 0, 0), errno);
        for (int i = 0; i < 3; i++) usleep(1000), getppid();
        return 5;
      }
      int main(int count, char **arguments) {
        setvbuf(stdout, NULL, _IONBF, 0);
        if (count == 1) return alone();
        pid_t child = fork();
        if (child == 0) {
          ptrace(PTRACE_TRACEME, 0, 0, 0);
          if (strcmp(arguments[1], "stops") == 0) raise(SIGSTOP);
          if (strcmp(arguments[1], "faults") == 0) *(volatile int *)0 = 1, _exit(8);
          if (strcmp(arguments[1], "breaks") == 0) { __asm__ volatile("int3"); _exit(9); }
          if (strcmp(arguments[1], "fails") == 0) execl("/nonexistent", "nonexistent", NULL), _exit(7);
          execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 3", NULL);
        }
        int status, signal = 0;
        while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
          printf("stopped %x\n", status);
          struct user_regs_struct registers;
          ptrace(PTRACE_GETREGS, child, 0, &registers);
          if (WSTOPSIG(status) == SIGUSR1 || WSTOPSIG(status) == SIGSEGV) kill(child, SIGKILL);
          ptrace(PTRACE_CONT, child, 0, signal);
        }
        printf("ended %x\n", status);
        return 4;
      }
      """#, as: "guest", in: folder.path, ["-D_GNU_SOURCE"])
    for arguments in ["", " executes", " stops", " faults", " breaks", " fails"] {
      let native = try await CordonBinary.shell("exec ./guest\(arguments)", in: folder.path)
      let outcome = try await CordonBinary.shell(
        "exec timeout -k 5 900 \"$cordon\" run \(option) -- ./guest\(arguments)", in: folder.path)
      #expect(native.output.contains(arguments.isEmpty ? "asked" : "ended"))
      #expect(outcome.output == native.output && outcome.status == native.status, "\(arguments): \(outcome.error)")
    }
  }

  /// However many there are, none stops for a trap that its tracer has let it go on into.
  @Test(arguments: ["--all", "--all --mechanism sud"])
  func hundredsOfChildrenAreTraced(_ option: String) async throws {
    guard has("gcc") else { return }
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try TemporaryFolder()
    try await Compiler.build(
      #"""
      #include <signal.h>
      #include <stdio.h>
      #include <sys/ptrace.h>
      #include <sys/wait.h>
      #include <unistd.h>
      #define CHILDREN 300
      int main(void) {
        pid_t children[CHILDREN];
        int status, stops = 0, ends = 0;
        for (int i = 0; i < CHILDREN; i++) {
          children[i] = fork();
          if (children[i] == 0) {
            ptrace(PTRACE_TRACEME, 0, 0, 0);
            raise(SIGSTOP);
            for (int j = 0; j < 3; j++) getppid();
            _exit(5);
          }
          if (waitpid(children[i], &status, 0) != children[i] || !WIFSTOPPED(status)) return 1;
        }
        for (int i = 0; i < CHILDREN; i++) ptrace(PTRACE_CONT, children[i], 0, 0);
        for (pid_t child; (child = wait(&status)) > 0;) {
          if (WIFSTOPPED(status)) stops++, ptrace(PTRACE_CONT, child, 0, WSTOPSIG(status));
          if (WIFEXITED(status)) ends += WEXITSTATUS(status) == 5;
        }
        printf("%d %d\n", stops, ends);
        return 3;
      }
      """#, as: "guest", in: folder.path)
    let outcome = try await CordonBinary.shell(
      "exec timeout -k 5 900 \"$cordon\" run \(option) -- ./guest", in: folder.path)
    #expect(outcome.output == "0 300\n" && outcome.status == 3, "\(outcome.error)")
  }

  /// From outside: of the launcher and all that it starts, and of a program that runs already and goes on to start others.
  @Test func straceOutside() async throws {
    guard has("strace") else { return }
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      timeout -k 5 900 strace -f -o first "$cordon" run --all -- sh -c '/bin/echo a; (exec /bin/echo b); exit 3'; echo $?
      "$cordon" run --all -- sh -c 'echo $$ > pid; while ! [ -e go ]; do sleep 0.05; done; for i in 1 2 3 4 5; do /bin/echo $i; done; exit 7' &
      while ! [ -s pid ]; do sleep 0.05; done
      timeout -k 5 900 strace -f -o second -p "$(cat pid)" 2> messages & tracer=$!
      while ! [ -s second ]; do sleep 0.05; done; : > go
      wait $tracer; wait; grep -c 'write(1, "[1-5].n", 2) *= 2' second
      """, in: folder.path)
    #expect(outcome.output == "a\nb\n3\n1\n2\n3\n4\n5\n5\n" && outcome.error.isEmpty, "\(outcome.error)")
  }
}
