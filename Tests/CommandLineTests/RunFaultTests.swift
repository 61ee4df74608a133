import Glibc
import SystemPackage
import Testing

/// `cordon run` where something that it needs is missing, or goes away: each time something defined comes of it.
@Suite(.timeLimit(.ofPrograms), .enabled(if: Compiler.exists, "gcc is not installed (apt-get install gcc)"))
struct RunFaultTests {
  /// A folder with `refuse NUMBER[:BITS] ERRNO PROGRAM…`, which runs a program under a filter that refuses a call, or one
  /// whose second argument has any of these bits.
  func folder() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try await Compiler.build(
      #"""
      #include <linux/filter.h>
      #include <linux/seccomp.h>
      #include <stdlib.h>
      #include <sys/prctl.h>
      #include <unistd.h>
      int main(int count, char **words) {
        if (count < 4) return 1;
        char *end;
        unsigned number = (unsigned)strtoul(words[1], &end, 0), bits = *end == ':' ? (unsigned)strtoul(end + 1, NULL, 0) : 0;
        struct sock_filter code[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 24),
            BPF_JUMP(BPF_JMP | (bits != 0 ? BPF_JSET : BPF_JGE) | BPF_K, bits, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)atoi(words[2])),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        struct sock_fprog program = {6, code};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, 2, &program) != 0) return 2;
        execvp(words[3], words + 3);
        return 3;
      }
      """#, as: "refuse", in: folder.path)
    return folder
  }

  /// As in a container that forbids ptrace(2), or where kernel.yama.ptrace_scope does: the launcher does without it, for
  /// what is left behind in the background too.
  @Test(arguments: [EPERM, ENOSYS], ["--all", "--all --mechanism sud"])
  func nothingMayBeTraced(_ error: CInt, _ option: String) async throws {
    if option.hasSuffix("sud"), Mechanisms.lackDispatch { return }
    let folder = try await folder()
    let outcome = try await CordonBinary.shell(
      """
      ./refuse 101 \(error) "$cordon" run \(option) -- sh -c '(exec > /dev/null 2>&1; while ! [ -e go ]; do sleep 0.02; done; /bin/echo late > new; mv new late) & /bin/echo now | cat; exit 3'
      echo $?; : > go; while ! [ -e late ]; do sleep 0.02; done; cat late
      """, in: folder.path)
    #expect(outcome.output == "now\n3\nlate\n" && outcome.error.isEmpty, "\(outcome.error)")
  }

  /// A kernel without seccomp(2), or one whose container forbids it.
  @Test func thereIsNoSeccomp() async throws {
    let folder = try await folder()
    for (error, message) in [
      (ENOSYS, "this kernel has no seccomp filters with a listener"), (EINVAL, "this kernel has no seccomp"),
      (EACCES, "the kernel refuses the filter: Permission denied"),
    ] {
      let outcome = try await CordonBinary.shell(
        "exec ./refuse 317 \(error) \"$cordon\" run --all -- echo ran", in: folder.path)
      #expect(outcome.status == 69 && outcome.output.isEmpty)
      #expect(outcome.error.hasPrefix("cordon: run: \(message)"), "\(outcome.error)")
      #expect(outcome.error.contains("`cordon doctor`"))
    }
  }

  /// The disk that the log is on fills up: the program runs to its end, and the log's lines are whole.
  @Test func theLogsDiskIsFull() async throws {
    guard geteuid() == 0, access("/usr/bin/unshare", X_OK) == 0 else {
      print("not tested here: mounting a small file system needs privileges")
      return
    }
    let folder = try await folder()
    let outcome = try await CordonBinary.shell(
      """
      exec unshare -m sh -c 'mkdir small && mount -t tmpfs -o size=64k none small && \
        "$cordon" run --log small/log -- sh -c "i=0; while [ \\$i -lt 500 ]; do i=\\$((i+1)); ls -d /; done | wc -l; exit 3"; echo $?
        wc -c < small/log; tail -c 2 small/log; umount small; rmdir small'
      """, in: folder.path)
    #expect(outcome.output.hasPrefix("500\n3\n"), "\(outcome.error)")
    let size = Int(outcome.lines[2]) ?? 0
    #expect((64000...65536).contains(size) && outcome.output.hasSuffix("\n\(size)\n}\n"), "\(outcome.output)")
    #expect(
      outcome.error
        == "cordon: run: small/log cannot be written: No space left on device; the program runs on without a log\n")
  }

  /// Stops and goings on, as many as can be sent while one program after the other is executed, or is not there. Before Linux
  /// 5.19, which refuses SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, they take calls away that the launcher has received.
  @Test(arguments: ["", "./refuse 317:32 \(EINVAL)"])
  func stopsWhileProgramsAreExecuted(_ prefix: String) async throws {
    let folder = try await folder()
    try await Compiler.build(
      #"""
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      int main(int count, char **words) {
        char path[100];
        int parent = atoi(words[1]), child;
        snprintf(path, sizeof path, "/proc/%d/task/%d/children", parent, parent);
        for (long i = 0; kill(parent, 0) == 0; i++) {
          FILE *children = fopen(path, "r");
          if (children == NULL) break;
          if (fscanf(children, "%d", &child) == 1) {
            kill(child, SIGSTOP);
            for (volatile long wait = i % 64 * 1000; wait > 0; wait--) {}
            kill(child, SIGCONT);
          }
          fclose(children);
        }
        return 0;
      }
      """#, as: "storm", in: folder.path, ["-Wno-unused-result"])
    let outcome = try await CordonBinary.shell(
      """
      \(prefix) "$cordon" run --all sh -c 'echo $$ > pid; i=0; while [ $i -lt 500 ]; do /bin/true || echo failed $?; ./none 2> /dev/null; [ $? = 127 ] || echo wrong; i=$((i+1)); done; echo done' &
      while ! [ -s pid ]; do sleep 0.01; done
      ./storm "$(cat pid)"; wait $!; echo $?
      """, in: folder.path)
    #expect(outcome.output == "done\n0\n" && outcome.error.isEmpty, "\(outcome.error)")
  }

  /// Whatever a launcher is killed in the middle of: a program ends, or goes on and finds that it can execute nothing more,
  /// and then it says so. None waits for ever.
  @Test func theLauncherIsKilledAtAnyMoment() async throws {
    let folder = try await folder()
    let outcome = try await CordonBinary.shell(
      """
      start() { setsid "$cordon" run --all -- sh -c 'echo $$ >> pids; while :; do /bin/true || exit 5; done' 2>> messages & launcher=$!; }
      i=0; while [ $i -lt 30 ]; do : > pids; start; while ! [ -s pids ]; do sleep 0.01; done; cat pids >> children
        i=$((i+1)); sleep 0.$((10 + i)); kill -9 $launcher; wait $launcher
      done 2> /dev/null
      # And just before the program is there.
      i=0; while [ $i -lt 60 ]; do i=$((i+1)); start; child=
        while [ -d /proc/$launcher ] && [ -z "$child" ]; do read child rest < /proc/$launcher/task/$launcher/children; done
        kill -9 $launcher; wait $launcher; echo $child $rest >> children
      done 2> /dev/null
      is_there() { [ "$(readlink /proc/$1/cwd)" = "$PWD" ]; }
      i=0; for pid in $(cat pids children); do
        while is_there $pid && [ $i -lt 600 ]; do i=$((i+1)); sleep 0.1; done; is_there $pid && kill -9 $pid && echo left; done
      wc -l < pids; grep -c 'is gone, so no further program can be executed' messages
      """, in: folder.path)
    let counts = outcome.output.split(separator: "\n").map { Int($0) ?? -1 }
    #expect(counts.count == 2 && !counts.contains { $0 <= 0 }, "\(outcome.output) \(outcome.error)")
  }

  /// Who waits for a reader of the report can be ended, as anybody else.
  @Test func aReportThatNobodyReadsHoldsNobodyUp() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      mkfifo report; "$cordon" run --report report sh -c ': > ran' & launcher=$!
      while ! [ -e ran ]; do sleep 0.02; done
      for i in $(seq 200); do kill $launcher; grep -q zombie /proc/$launcher/status && break; sleep 0.05; done
      kill -KILL $launcher; wait $launcher; echo $?
      """, in: folder.path)
    #expect(outcome.output == "\(128 + SIGTERM)\n", "\(outcome.output)\(outcome.error)")
  }

  @Test(arguments: [("a", "a"), ("a", "./a"), ("./b", "b")])
  func oneFileIsNotBothLogAndReport(_ log: String, _ report: String) async throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(Array("kept".utf8), to: "b")
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["run", "--log", log, "--report", report, "true"], in: folder.path)
    #expect(outcome.status == 64 && outcome.error.hasPrefix("cordon: --report: '\(report)' is the file of the log\n"))
    let kept = try folder.read("b")
    #expect(folder.contents == ["b"] && kept == Array("kept".utf8))
  }

  @Test func descriptorsThatAreLackingAreSaidToBeThat() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      #"for n in 4 5 6; do (ulimit -n $n; "$cordon" run --all true; echo $?); done"#, in: folder.path)
    #expect(outcome.output == "69\n69\n69\n", "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").filter { $0 == "see `ulimit -n`" }.count == 3, "\(outcome.error)")
  }

  /// Who has not executed a program after all is let go of, whether it has a call that traps or not, and hears nothing of it.
  @Test(arguments: ["all", "libnone.so"])
  func aFailedExecutionLeavesNoTracer(_ code: String) async throws {
    let folder = try TemporaryFolder()
    try await Compiler.build(
      #"""
      #include <fcntl.h>
      #include <string.h>
      #include <unistd.h>
      int main(void) {
        char text[4096];
        int file = open("/proc/self/status", O_RDONLY), times = 0;
        for (int i = 0; i < 20; i++) {
          execl("/nonexistent", "nonexistent", (char *)0);
          do {
            if (times++ == 4000) return 4;
            usleep(5000);
            text[pread(file, text, sizeof text - 1, 0)] = 0;
          } while (strstr(text, "TracerPid:\t0\n") == 0);
        }
        return 3;
      }
      """#, as: "guest", in: folder.path)
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["run", "--trap", code, "--report", "report", "./guest"], in: folder.path)
    #expect(outcome.status == 3, "\(outcome.error)")
  }
}
