import Glibc
import Subprocess
import SystemPackage
import Testing

/// `cordon run`: what a program does under it is what it does without.
@Suite(.timeLimit(.ofPrograms)) struct RunCommandTests {
  /// Runs a shell command as it is and under `cordon run --all`, and compares all that can be seen of it.
  private func expectSame(
    _ command: String, _ sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let native = try TemporaryFolder()
    let folder = try TemporaryFolder()
    let expected = try await CordonBinary.shell("exec sh -c '\(command)'", in: native.path)
    let outcome = try await CordonBinary.shell("exec \"$cordon\" run --all -- sh -c '\(command)'", in: folder.path)
    #expect(outcome.status == expected.status, sourceLocation: sourceLocation)
    #expect(outcome.output == expected.output, sourceLocation: sourceLocation)
    #expect(outcome.error == expected.error, sourceLocation: sourceLocation)
    #expect(folder.contents == native.contents, sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    "echo a b; echo c >&2; exit 7",
    "echo a | cat | tr a b; ls /nonexistent",
    "for i in 1 2 3; do /bin/echo $i; done > f; wc -l < f",
    "nosuchprogram; echo $?; /; echo $?",
    "sleep 0.1 & wait; trap \"echo trapped\" USR1; kill -USR1 $$; ulimit -n; umask; pwd -P | wc -l",
    "env -i A=1 /usr/bin/env; readlink /proc/self/fd/0 | wc -l; ls /proc/self/fd | wc -w",
    "cd /; exec /bin/echo replaced",
    "printf \"#!/bin/cat\\nscript\\n\" > s; chmod +x s; ./s; printf \"echo plain \\$1\" > p; chmod +x p; ./p x",
    "(sleep 0.2; echo late > f) & echo now; wait",
  ])
  func aShellDoesWhatItAlwaysDoes(_ command: String) async throws { try await expectSame(command) }

  /// What is executed in the place of a script that names no interpreter starts as the script would have.
  @Test func aScriptWithoutAnInterpreterHearsOfSignals() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      printf 'trap "echo heard" TERM; kill -TERM $$; echo end\\n' > p; chmod +x p; "$cordon" run --all -- ./p
      """, in: folder.path)
    #expect(outcome.status == 0 && outcome.output == "heard\nend\n", "\(outcome.output)\(outcome.error)")
  }

  @Test func theExitStatusTellsOfASignal() async throws {
    for (signal, status) in [("TERM", 143), ("KILL", 137), ("SEGV", 139)] as [(String, CInt)] {
      let outcome = try await CordonBinary.run("run", "--all", "sh", "-c", "ulimit -c 0; kill -\(signal) $$")
      #expect(outcome.status == status && outcome.error.isEmpty)
    }
  }

  @Test func argumentsArriveByteForByte() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      "$cordon" run --all -- printf '%s|' "$(printf 'a\\377b')" -- --all '' 'ü' | od -An -v -w64 -tx1
      """, in: folder.path)
    #expect(
      outcome.output.split(separator: " ").joined(separator: " ")
        == "61 ff 62 7c 2d 2d 7c 2d 2d 61 6c 6c 7c 7c c3 bc 7c\n")
  }

  @Test func aSignalSentToCordonReachesTheProgram() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      "$cordon" run --all sh -c 'trap "echo got it; exit 5" TERM; echo ready > ready; while :; do sleep 0.05; done' &
      while ! [ -e ready ]; do sleep 0.02; done
      kill -TERM $!; wait $!; echo $?
      """, in: folder.path)
    #expect(outcome.output == "got it\n5\n")
  }

  @Test func whatIsLeftBehindIsSupervisedOn() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      "$cordon" run --all sh -c '(exec > /dev/null 2> /dev/null; while ! [ -e go ]; do sleep 0.02; done; /bin/echo late > new; mv new late) & exit 3'
      echo $?; : > go
      while ! [ -e late ]; do sleep 0.02; done; cat late
      """, in: folder.path)
    #expect(outcome.output == "3\nlate\n")
  }

  @Test func aProgramOutlivesItsSupervisorAndIsToldWhyItExecutesNothingMore() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      "\"$cordon\" run --all sh -c 'kill -9 $PPID; while kill -0 $PPID 2>/dev/null && [ $PPID != 1 ]; do :; done; "
        + "echo goes on; /bin/echo more; echo $? > done'; while ! [ -s done ]; do sleep 0.02; done; cat done",
      in: folder.path)
    #expect(outcome.output == "goes on\n126\n")
    #expect(outcome.error.contains("is gone, so no further program can be executed"))
  }

  @Test func whatCannotBeRunIsSaid() async throws {
    let folder = try TemporaryFolder()
    let elf32 = try folder.write(
      [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1] + Array(repeating: 0, count: 9) + [2, 0, 3, 0], to: "elf32")
    let garbage = try folder.write([1, 0, 2, 0], to: "garbage")
    chmod(elf32, 0o755)
    chmod(garbage, 0o755)
    let foreign = try folder.write(
      [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + Array(repeating: 0, count: 9) + [2, 0, 183, 0], to: "aarch64")
    let lost = try folder.write(Array("#!/does/not/exist -x\n".utf8), to: "lost")
    let locked = try folder.write(Array("#! /etc/passwd\n".utf8), to: "locked")
    let unloaded = try folder.file("unloaded", withInterpreter: "/no/ld.so")
    let fifo = folder.file("fifo")
    for file in [foreign, lost, locked, unloaded] { chmod(file, 0o755) }
    #expect(mkfifo(fifo, 0o755) == 0)
    for (arguments, status, message) in [
      ([foreign], 65, "\(foreign): is no program that this machine runs"),
      ([lost], 65, "\(lost): is run by /does/not/exist, which is not there"),
      ([locked], 65, "\(locked): is run by /etc/passwd, which may not be executed"),
      ([unloaded], 65, "\(unloaded): is run by /no/ld.so, which is not there"),
      (["nosuchprogram"], 65, "nosuchprogram: no such program in the folders of PATH"),
      (["/nonexistent/program"], 65, "/nonexistent/program: no such program"),
      ([fifo], 65, "\(fifo): may not be executed"),
      (["/"], 65, "/: is a directory"), (["/etc/passwd"], 65, "/etc/passwd: may not be executed"),
      ([elf32], 65, "\(elf32): is a 32-bit program"),
      ([garbage], 65, "\(garbage): is no program that this machine runs"),
      (["--nosuchoption", "ls"], 64, "run: unknown option '--nosuchoption'"),
      ([], 64, "run: missing expected argument"),
      (["--"], 64, "run: no program to run"),
    ] as [([String], CInt, String)] {
      // A folder that may not be searched would be the reason, as it is for execvp(3).
      let outcome = try await CordonBinary.run(
        CordonBinary.path, ["run", "--all"] + arguments, environment: ["PATH": "/usr/bin:/bin"])
      #expect(outcome.status == status && outcome.output.isEmpty)
      #expect(outcome.error.hasPrefix("cordon: " + message), "\(outcome.error)")
    }
  }

  @Test func aSetUserIdProgramIsSaidToLoseItsPrivilege() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      if [ "$(id -u)" = 0 ]; then cp /bin/true privileged; chown 1 privileged; chmod 4755 privileged; program=./privileged
      else program="/bin/su --version"; fi
      exec "$cordon" run --all $program
      """, in: folder.path)
    #expect(outcome.status == 0)
    #expect(outcome.error.contains("runs without that privilege (no_new_privs)"))
  }

  @Test func aProgramThatMayBeExecutedAndNotReadIsEnded() async throws {
    guard geteuid() != 0 else { return print("not tested here: root may read everything") }
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      "cp /bin/true hidden; chmod 111 hidden; \"$cordon\" run --all ./hidden; echo $?", in: folder.path)
    #expect(outcome.output == "137\n")
    #expect(outcome.error.contains("is ended: its new program may be executed and not read"))
  }

  @Test func helpIsForCordonOrForTheProgram() async throws {
    let own = try await CordonBinary.run("run", "--help")
    #expect(own.status == 0 && own.output.contains("USAGE: cordon run"))
    let programs = try await CordonBinary.run("run", "--all", "echo", "--help", "--all")
    #expect(programs.output == "--help --all\n")
  }

  @Test func aRunInsideARunIsRefused() async throws {
    let outcome = try await CordonBinary.run(
      "run", "--all", CordonBinary.path.string, "run", "--all", "true")
    #expect(outcome.status == 69)
    #expect(outcome.error.contains("EBUSY"))
  }
}

extension TemporaryFolder {
  /// Writes an ELF file that is nothing but a header, and the name of an interpreter.
  fileprivate func file(_ name: String, withInterpreter interpreter: String) throws -> String {
    func words<Word: FixedWidthInteger>(_ words: [Word]) -> [UInt8] {
      words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
    }
    let path = Array(interpreter.utf8) + [0]
    let size = UInt64(path.count)
    let header =
      [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9) + words([2, 62] as [UInt16])
      + words([1] as [UInt32]) + words([0x401000, 64, 0] as [UInt64]) + words([0] as [UInt32])
      + words([64, 56, 1, 64, 0, 0] as [UInt16])
    let segment = words([3, 4] as [UInt32]) + words([120, 0x400078, 0x400078, size, size, 1] as [UInt64])
    return try write(header + segment + path, to: name)
  }
}
