import Glibc
import SystemPackage
import Testing

import struct Foundation.Data
import class Foundation.JSONDecoder

/// `cordon run` keeps books: which module called what, how often, and with what result.
@Suite(.timeLimit(.ofPrograms), .enabled(if: Compiler.exists, "gcc is not installed (apt-get install gcc)"))
struct RunAccountingTests {
  private static let calls = 5

  /// A program that loads a library which makes calls of its own, and generates code that makes one.
  private struct Guest: ~Copyable {
    let folder: TemporaryFolder
    var program: String { folder.file("guest") }
    var library: String { folder.file("libguest.so.1") }

    init() async throws {
      let folder = try TemporaryFolder()
      let program = """
        #include <dlfcn.h>
        #include <stdio.h>
        #include <string.h>
        #include <sys/mman.h>
        #include <unistd.h>
        int main(int count, char **arguments) {
          long (*guest)(void) = (long (*)(void))dlsym(dlopen(arguments[1], RTLD_NOW), "plug");
          int right = 1;
          for (int i = 0; i < \(RunAccountingTests.calls); i++) right &= guest() == getpid();
          unsigned char code[] = {0xb8, 39, 0, 0, 0, 0x0f, 5, 0xc3};
          void *memory = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          memcpy(memory, code, sizeof code);
          mprotect(memory, 4096, PROT_READ | PROT_EXEC);
          right &= ((int (*)(void))memory)() == getpid();
          right &= access("/nonexistent", 0) == -1;
          printf("%s\\n", right ? "right" : "wrong");
          return right ? 3 : 4;
        }
        """
      try await Compiler.buildLibrary("libguest.so.1", calling: 39, in: folder.path)
      try await Compiler.build(program, as: "guest", in: folder.path)
      self.folder = folder
    }
  }

  private struct Line: Decodable {
    let pid: Int
    let tid: Int
    let module: String?
    let call: String
    let arguments: [String]
    let result: Int?
    let duration_ns: Int?
  }

  private func run(_ guest: borrowing Guest, _ options: [String]) async throws -> CordonBinary.Outcome {
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["run"] + options + ["--report", guest.folder.file("report"), guest.program, guest.library])
    #expect(outcome.status == 3 && outcome.output == "right\n", "\(outcome.error)")
    return outcome
  }

  private func report(_ guest: borrowing Guest) throws -> WrittenReport { try WrittenReport(guest.folder.path) }

  @Test func callsBehindLibcsBackAreNamed() async throws {
    let guest = try await Guest()
    let outcome = try await CordonBinary.run("run", guest.program, guest.library)
    #expect(outcome.status == 3 && outcome.output == "right\n")
    #expect(outcome.error.hasPrefix("6 calls did not come from libc, ld.so or the vDSO\n"))
    #expect(outcome.error.contains("libguest.so.1  getpid      5"))
    #expect(outcome.error.contains("(plug+0x"))
    #expect(outcome.error.contains("[anonymous]    getpid      1"))
  }

  @Test func theReportSaysWhatWasCalledFromWhere() async throws {
    let guest = try await Guest()
    _ = try await run(guest, [])
    let report = try report(guest)
    #expect(report.schema == "cordon.run/1" && report.exit_status == 3 && report.lost_calls == 0)
    #expect(report.program == [guest.program, guest.library])
    #expect(report.calls_from_elsewhere == Self.calls + 1)
    let row = try #require(report.rows.first { $0.module == guest.library })
    #expect(row.call == "getpid" && row.calls == Self.calls && row.timed == Self.calls && row.errors == 0)
    #expect(row.time_ns > 0 && !row.system)
    #expect(row.first_site.symbol?.hasPrefix("plug+0x") == true && row.first_site.calls == Self.calls)
    let access = report.rows.filter { $0.call == "access" }
    #expect(access.reduce(0) { $0 + $1.errors } >= 1, "the failed call is counted as one")
    #expect(report.calls == report.rows.reduce(0) { $0 + $1.calls })
  }

  @Test(
    arguments: [
      (["--trap", "libguest.so*"], ["libguest.so.1"]),
      (["--trap", "libguest.so.1", "--trap", "jit"], ["libguest.so.1", nil]),
      (["--trap", "anonymous"], [nil]), (["--trap", "guest"], []), (["--trap", "*/libguest.so.1"], ["libguest.so.1"]),
    ] as [([String], [String?])])
  func onlyWhatIsNamedIsAccounted(_ options: [String], _ expected: [String?]) async throws {
    let guest = try await Guest()
    let outcome = try await run(guest, options)
    #expect(outcome.error.isEmpty, "\(outcome.error)")
    let rows = try report(guest).rows
    #expect(rows.allSatisfy { $0.call == "getpid" })
    let names = rows.map { row in
      row.module == "[anonymous]" ? nil : row.module?.split(separator: "/").last.map(String.init)
    }
    #expect(Set(names) == Set(expected))
    for row in rows { #expect(row.calls == (row.module == "[anonymous]" ? 1 : Self.calls)) }
  }

  @Test func syscallUserDispatchGivesTheSameBooks() async throws {
    let guest = try await Guest()
    _ = try await run(guest, [])
    let bySeccomp = try report(guest).rows.filter { !$0.system }.map { [$0.module, $0.call, String($0.calls)] }
    _ = try await run(guest, ["--mechanism", "sud"])
    let byDispatch = try report(guest).rows.filter { !$0.system }.map { [$0.module, $0.call, String($0.calls)] }
    #expect(bySeccomp == byDispatch && bySeccomp.count == 2)
  }

  private func profile(_ regions: String, default standard: String = "allow", in guest: borrowing Guest) throws
    -> String
  {
    let text = "schema: cordon.profile/1\narchitecture: x86_64\ndefault: \(standard)\nregions:\n" + regions
    return try guest.folder.write(Array(text.utf8), to: "profile")
  }

  @Test func aProfileHasTheModulesCallsFail() async throws {
    let guest = try await Guest()
    let path = try profile("  - {code: 'libguest.so*', disposition: errno EACCES}\n", in: guest)
    let outcome = try await CordonBinary.run(
      "run", "--profile", path, "--report", guest.folder.file("report"), guest.program, guest.library)
    #expect(outcome.status == 4 && outcome.output == "wrong\n" && outcome.error.isEmpty, "\(outcome.error)")
    let rows = try report(guest).rows
    #expect(rows.count == 1 && rows.first?.module == guest.library)
    #expect(rows.first?.errors == Self.calls)
  }

  @Test func aProfileOfPoliciesLooksAtNumbers() async throws {
    let guest = try await Guest()
    let path = try profile(
      "  - {code: 'libguest.so*', disposition: {default: kill, calls: [{call: getpid, then: allow}]}}\n", in: guest)
    let outcome = try await CordonBinary.run("run", "--profile", path, guest.program, guest.library)
    #expect(outcome.status == 3 && outcome.output == "right\n" && outcome.error.isEmpty, "\(outcome.error)")
  }

  @Test func aProfileKills() async throws {
    let guest = try await Guest()
    let path = try profile("  - {code: 'libguest.so*', disposition: kill}\n", in: guest)
    let outcome = try await CordonBinary.run("run", "--profile", path, guest.program, guest.library)
    #expect(outcome.status == 128 + SIGSYS && outcome.output.isEmpty)
  }

  @Test func aProfilesModuleThatNeverAppearedIsSaid() async throws {
    let guest = try await Guest()
    let path = try profile("  - {code: 'libnone.so', disposition: trap}\n", in: guest)
    let outcome = try await CordonBinary.run("run", "--profile", path, guest.program, guest.library)
    #expect(outcome.status == 3 && outcome.error == "cordon: \(path): no code of 'libnone.so' was ever mapped\n")
  }

  @Test func aProfileThatARunCannotHaveIsRefused() async throws {
    let guest = try await Guest()
    let path = try profile("  - {code: 'libguest.so*', disposition: notify}\n", in: guest)
    let outcome = try await CordonBinary.run("run", "--profile", path, "echo", "ran")
    #expect(outcome.status == 65 && outcome.output.isEmpty, "\(outcome.error)")
  }

  @Test func aModuleThatNeverAppearedIsSaid() async throws {
    let guest = try await Guest()
    let outcome = try await run(guest, ["--trap", "libnone.so*"])
    #expect(outcome.error == "cordon: --trap: nothing that matches 'libnone.so*' was found\n")
  }

  @Test func theLogHasALineForEachCall() async throws {
    let guest = try await Guest()
    let outcome = try await run(guest, ["--log", guest.folder.file("log")])
    #expect(outcome.error.isEmpty)
    let lines = try String(decoding: guest.folder.read("log"), as: UTF8.self).split(separator: "\n")
      .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    #expect(lines.count == (try report(guest)).calls)
    let own = lines.filter { $0.module == guest.library }
    #expect(own.count == Self.calls)
    #expect(own.allSatisfy { $0.call == "getpid" && $0.result == $0.pid && $0.pid == $0.tid && $0.duration_ns != nil })
    #expect(lines.filter { $0.call == "exit_group" }.map(\.result) == [nil], "what never returns has no result")
    #expect(lines.allSatisfy { $0.arguments.count == 6 })
  }

  @Test func allProcessesAreInTheLog() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      "\"$cordon\" run --all --log log -- sh -c 'for i in 1 2 3 4; do /bin/true; (:); done; echo done | cat'",
      in: folder.path)
    #expect(outcome.output == "done\n" && outcome.status == 0 && outcome.error.isEmpty)
    let lines = try String(decoding: folder.read("log"), as: UTF8.self).split(separator: "\n")
      .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    #expect(Set(lines.filter { $0.call == "exit_group" }.map(\.pid)).count == 11)
    #expect(lines.filter { $0.call == "execve" && $0.result == nil }.count == 5)
  }

  /// Calls that make a child come back twice, and those that change the signal mask are carried out by the engine.
  @Test func callsThatTheEngineSeesToAreTimedToo() async throws {
    let folder = try TemporaryFolder()
    let program = """
      #define _GNU_SOURCE
      #include <pthread.h>
      #include <sched.h>
      #include <signal.h>
      #include <sys/syscall.h>
      #include <sys/wait.h>
      #include <unistd.h>
      static void *thread(void *sum) { return __atomic_add_fetch((int *)sum, 1, __ATOMIC_RELAXED), NULL; }
      static int task(void *sum) { return __atomic_add_fetch((int *)sum, 1, __ATOMIC_RELAXED), 0; }
      static char stack[65536] __attribute__((aligned(16)));
      int main(void) {
        cpu_set_t one; /* so that those who make threads are ahead of them */
        CPU_ZERO(&one);
        CPU_SET(sched_getcpu(), &one);
        sched_setaffinity(0, sizeof one, &one);
        int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
        int sum = 0, tasks = 0;
        for (int i = 0; i < 200; i++) {
          pthread_t threads[4];
          for (int j = 0; j < 4; j++) if (pthread_create(threads + j, NULL, thread, &sum) != 0) return 1;
          if (clone(task, stack + sizeof stack, flags, &tasks) < 0) return 4;
          for (int j = 0; j < 4; j++) pthread_join(threads[j], NULL);
          while (__atomic_load_n(&tasks, __ATOMIC_RELAXED) <= i) sched_yield();
          pid_t child = i % 2 ? fork() : vfork();
          if (child == 0) _exit(7);
          int status;
          if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 7) return 2;
          sigset_t set;
          sigfillset(&set);
          pthread_sigmask(SIG_BLOCK, &set, &set);
          pthread_sigmask(SIG_SETMASK, &set, NULL);
          syscall(SYS_rt_sigprocmask, 9, &set, NULL, 8);
        }
        return sum == 800 ? 0 : 3;
      }
      """
    try await Compiler.build(program, as: "guest", in: folder.path, ["-pthread"])
    let outcome = try await CordonBinary.run(
      "run", "--all", "--report", folder.file("report"), folder.file("guest"))
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    let rows = try WrittenReport(folder.path).rows
    for (calls, count) in [(["clone3"], 800), (["clone", "fork"], 300), (["vfork"], 100)] {
      let made = rows.filter { calls.contains($0.call) }
      #expect(made.reduce(0) { $0 + $1.calls } == count && made.allSatisfy { $0.timed == $0.calls && $0.errors == 0 })
    }
    let masks = rows.filter { $0.call == "rt_sigprocmask" }
    #expect(masks.reduce(0) { $0 + $1.errors } == 200, "a call that fails counts as one")
    #expect(masks.allSatisfy { $0.timed == $0.calls })
  }

  /// Until the log's pipe is read, records are lost; from then on none is.
  @Test func aLogThatCouldNotBeWrittenForAWhileGoesOnWhole() async throws {
    let folder = try TemporaryFolder()
    let program = """
      #include <fcntl.h>
      #include <sys/stat.h>
      #include <sys/syscall.h>
      #include <unistd.h>
      int main(void) {
        for (int i = 0; i < 30000; i++) syscall(SYS_getppid);
        open("full", O_CREAT | O_WRONLY, 0600);
        for (struct stat status; stat("lines", &status) != 0 || status.st_size < 1000000;) usleep(10000);
        for (int i = 0; i < 5000; i++) syscall(SYS_getpgid, 0);
      }
      """
    try await Compiler.build(program, as: "guest", in: folder.path)
    let outcome = try await CordonBinary.shell(
      """
      mkfifo log
      (while ! [ -e full ]; do sleep 0.05; done; cat > lines) < log &
      "$cordon" run --all --stats --log log -- ./guest; wait
      """, in: folder.path)
    #expect(outcome.status == 0)
    #expect(outcome.error.contains(" calls are missing in the log: the log was not written in time\n"))
    let lines = try String(decoding: folder.read("lines"), as: UTF8.self).split(separator: "\n")
    #expect(lines.count { $0.contains("\"call\":\"getppid\"") } < 30000)
    #expect(lines.count { $0.contains("\"call\":\"getpgid\"") } == 5000)
  }

  @Test func aFullDiskCostsTheLogAndNothingElse() async throws {
    let guest = try await Guest()
    let outcome = try await run(guest, ["--log", "/dev/full"])
    #expect(
      outcome.error
        == "cordon: run: /dev/full cannot be written: No space left on device; the program runs on without a log\n")
  }

  @Test func aLogThatCannotBeOpenedIsSaidBeforeAnythingRuns() async throws {
    let outcome = try await CordonBinary.run("run", "--log", "/nonexistent/log", "echo", "ran")
    #expect(outcome.status == 65 && outcome.output.isEmpty)
    #expect(outcome.error.hasPrefix("cordon: /nonexistent/log: cannot be written"))
  }

  @Test func aReportThatCannotBeWrittenIsSaidBeforeAnythingRuns() async throws {
    let outcome = try await CordonBinary.run("run", "--report", "/nonexistent/report", "echo", "ran")
    #expect(outcome.status == 65 && outcome.output.isEmpty)
    #expect(outcome.error == "cordon: /nonexistent/report: cannot be written: No such file or directory\n")
  }

  /// Whoever is started without standard error has its messages nowhere, and not in its log.
  @Test func messagesStayOutOfTheLog() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      "\"$cordon\" run --stats --log log true 2>&-; grep -c '^{.*}$' log; grep -vc '^{.*}$' log", in: folder.path)
    #expect(Int(outcome.lines[0]) ?? 0 > 20 && outcome.lines[1] == "0", "\(outcome.output)")
  }

  /// A file's name can hold what a terminal takes for a command.
  @Test func namesStandInOneLine() async throws {
    let guest = try await Guest()
    let name = guest.folder.file("lib\u{1b}[31m\n.so")
    #expect(rename(guest.library, name) == 0)
    let outcome = try await CordonBinary.run("run", guest.program, name)
    #expect(outcome.status == 3)
    #expect(outcome.error.contains("\nlib\u{fffd}[31m\u{fffd}.so  getpid      5"), "\(outcome.error)")
  }

  @Test func badTargetsAreRefused() async throws {
    for (what, status, message) in [
      ("0x2000-0x1000", 65, "the range 0x2000-0x1000 ends before it starts"),
      ("0x2000", 64, "'0x2000' is not a range of the form 0xSTART-0xEND"), ("", 64, "a name is missing"),
    ] as [(String, CInt, String)] {
      let outcome = try await CordonBinary.run("run", "--trap", what, "echo", "ran")
      #expect(outcome.status == status && outcome.output.isEmpty)
      #expect(outcome.error.hasPrefix("cordon: --trap: " + message), "\(outcome.error)")
    }
  }
}
