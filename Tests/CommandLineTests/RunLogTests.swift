import Glibc
import SystemPackage
import Testing

/// `cordon run --log`: each call has its line, whatever becomes of the thread that makes it.
@Suite(.timeLimit(.ofPrograms), .enabled(if: Compiler.exists, "gcc is not installed (apt-get install gcc)"))
struct RunLogTests {
  private func lines(_ folder: borrowing TemporaryFolder) throws -> [Substring] {
    try String(decoding: folder.read("log"), as: UTF8.self).split(separator: "\n")
  }

  /// A process that is killed while it leaves a record, and a thread that jumps away meanwhile, hold up nobody else's: what
  /// is called afterwards is in the log while the program runs.
  @Test(arguments: ["kill", "jump"])
  func whoeverDoesNotCompleteARecordHoldsUpNothing(_ how: String) async throws {
    let folder = try TemporaryFolder()
    let program = """
      #include <fcntl.h>
      #include <setjmp.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/syscall.h>
      #include <sys/time.h>
      #include <sys/wait.h>
      #include <unistd.h>
      static sigjmp_buf place;
      static void jump(int signal) { siglongjmp(place, signal); }
      static void be_killed(int i) {
        pid_t children[4];
        for (int j = 0; j < 4; j++) {
          children[j] = fork();
          if (children[j] == 0) for (;;) syscall(SYS_getppid);
        }
        usleep((unsigned)(500 + i * 7 % 400));
        for (int j = 0; j < 4; j++) kill(children[j], SIGKILL);
        for (int j = 0; j < 4; j++) waitpid(children[j], NULL, 0);
      }
      static void jump_away(int i) {
        struct itimerval timer = {{0, 0}, {0, 500 + i * 7 % 400}};
        if (sigsetjmp(place, 1) != 0) return;
        setitimer(ITIMER_REAL, &timer, NULL);
        for (;;) syscall(SYS_getppid);
      }
      static int is_logged(const char *what) {
        static char text[1 << 20];
        int file = open("log", O_RDONLY);
        lseek(file, -(off_t)sizeof text, SEEK_END);
        ssize_t size = read(file, text, sizeof text - 1);
        close(file);
        return size > 0 && memmem(text, (size_t)size, what, strlen(what)) != NULL;
      }
      int main(int count, char **arguments) {
        signal(SIGALRM, jump);
        if (*arguments[1] == 'k') for (int i = 0; i < 1000; i++) be_killed(i);
        else for (int i = 0; i < 4000; i++) jump_away(i);
        for (int i = 0; i < 100; i++) syscall(SYS_getpgid, 0);
        for (int i = 0; i < 10000; i++) {
          if (is_logged("getpgid")) return 3;
          usleep(10000);
        }
        return 4;
      }
      """
    try await Compiler.build(program, as: "guest", in: folder.path, ["-D_GNU_SOURCE", "-Wno-unused-result"])
    let outcome = try await CordonBinary.run(
      CordonBinary.path, ["run", "--log", "log", "./guest", how], in: folder.path)
    #expect(outcome.status == 3 && outcome.error.isEmpty, "\(outcome.error)")
    let lines = try lines(folder)
    #expect(lines.count { $0.contains("\"call\":\"getpgid\"") } == 100)
    #expect(lines.allSatisfy { $0.hasPrefix("{\"start_ns\":") && $0.hasSuffix("}") })
  }

  /// A program that executes others without end has each of its calls timed.
  @Test func callsThatExecuteAProgramKeepNoPlace() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      "exec \"$cordon\" run --log log -- sh -c 'i=0; while [ $i -lt 1300 ]; do /bin/true; i=$((i+1)); done; pwd > /dev/null'",
      in: folder.path)
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    let lines = try lines(folder)
    let executed = lines.filter { $0.contains("\"call\":\"execve\"") }
    #expect(executed.count == 1300 && executed.allSatisfy { $0.contains("\"result\":null") })
    let unreturned = ["execve", "exit_group", "rt_sigreturn"].map { "\"call\":\"\($0)\"" }
    #expect(lines.allSatisfy { line in !line.contains("\"result\":null") || unreturned.contains { line.contains($0) } })
  }
}
