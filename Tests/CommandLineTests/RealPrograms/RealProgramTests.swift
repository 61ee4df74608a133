import Glibc
import SystemPackage
import Testing

/// Real programs under `cordon run --all`, where every call of theirs traps and is passed through, compared with the same
/// programs as they are, by each mechanism that there is. CORDON_REAL_RUNS says how often each runs under Cordon; once where it is not set.
@Suite(.timeLimit(.ofPrograms)) struct RealProgramTests {
  static let runs = getenv("CORDON_REAL_RUNS").flatMap { Int(String(cString: $0)) } ?? 1

  /// Runs a script of the shell `$shell` as it is and under Cordon. The folder is the same, and emptied by the script.
  func expectSame(
    _ script: String, shell: String = "sh", comparingMessages: Bool = true, in folder: FilePath,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let words = [shell, "-c", "cd '\(folder.string)'; \(script)"]
    let native = try await CordonBinary.run("/usr/bin/env", words)
    #expect(native.status != nil, "it ends by itself", sourceLocation: sourceLocation)
    // By syscall user dispatch it is the same, but for the way in.
    let mechanisms = ["seccomp"] + (Mechanisms.lackDispatch ? [] : ["sud"])
    for run in 1...Self.runs {
      for mechanism in mechanisms {
        let outcome = try await CordonBinary.run(
          CordonBinary.path, ["run", "--all", "--mechanism", mechanism, "--", "/usr/bin/env"] + words)
        let which = "run \(run), by \(mechanism)"
        #expect(outcome.status == native.status, "the status of \(which)", sourceLocation: sourceLocation)
        #expect(outcome.output == native.output, "the output of \(which)", sourceLocation: sourceLocation)
        guard comparingMessages else { continue }
        #expect(outcome.error == native.error, "the messages of \(which)", sourceLocation: sourceLocation)
      }
    }
  }

  /// Whether a tool is there; says so where it is not.
  func has(_ tool: String) -> Bool {
    let folders = (getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin").split(separator: ":")
    if folders.contains(where: { access("\($0)/\(tool)", X_OK) == 0 }) { return true }
    print("not tested here, since \(tool) is not installed")
    return false
  }

  /// Compiles a C program, runs it both ways, and compares.
  private func expectSame(
    _ source: String, compiledBy compilers: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    for compiler in compilers where has(String(compiler.prefix { $0 != " " })) {
      let folder = try TemporaryFolder()
      let file = try folder.write(Array(source.utf8), to: "program.c")
      let built = try await CordonBinary.shell("\(compiler) -O1 -pthread -o program \(file) 2>&1", in: folder.path)
      #expect(built.status == 0, "\(compiler): \(built.output)", sourceLocation: sourceLocation)
      try await expectSame("exec ./program", in: folder.path, sourceLocation: sourceLocation)
    }
  }

  private static let everyCompiler = ["gcc", "gcc -static", "gcc -static-pie", "musl-gcc", "musl-gcc -static"]

  /// musl looks at where a signal has interrupted the thread that is to be cancelled.
  @Test func threadsThatBlockAreCancelledAndJoined() async throws {
    try await expectSame(GuestPrograms.threads, compiledBy: Self.everyCompiler)
  }

  /// musl's threads unmap their own stacks as they end.
  @Test func threadsThatComeAndGo() async throws {
    try await expectSame(GuestPrograms.shortThreads, compiledBy: Self.everyCompiler)
  }

  @Test func jumpsOutOfHandlersOnASmallStack() async throws {
    try await expectSame(GuestPrograms.jumps, compiledBy: Self.everyCompiler)
  }

  /// Whatever is blocked, SIGSYS too, is what the program is told.
  @Test func masksAndBadPointers() async throws {
    try await expectSame(GuestPrograms.masks, compiledBy: Self.everyCompiler)
  }

  @Test func filtersOfItsOwnAndItsOwnSIGSYS() async throws {
    try await expectSame(GuestPrograms.filters, compiledBy: ["gcc", "gcc -static"])
  }

  @Test func posixSpawnWithEveryAttribute() async throws {
    try await expectSame(GuestPrograms.spawn, compiledBy: ["gcc", "gcc -static"])
  }

  @Test(arguments: ["CGO_ENABLED=0", "CGO_ENABLED=1"])
  func go(_ setting: String) async throws {
    guard has("go"), has("gcc") else { return }
    let folder = try TemporaryFolder()
    let cached = try TemporaryFolder()
    let source = setting == "CGO_ENABLED=0" ? GuestPrograms.go : GuestPrograms.cgo
    let file = try folder.write(Array(source.utf8), to: "program.go")
    let built = try await CordonBinary.shell(
      "HOME=$PWD GOCACHE=\(cached.path)/c GO111MODULE=off GOFLAGS=-modcacherw \(setting) go build -o program \(file) 2>&1; "
        + "s=$?; chmod -R u+w \(cached.path); rm -rf \(cached.path)/c; exit $s", in: folder.path)
    #expect(built.status == 0, "\(built.output)")
    try await expectSame("exec ./program", in: folder.path)
  }

  @Test func busyboxAsAShell() async throws {
    guard has("busybox") else { return }
    let folder = try TemporaryFolder()
    let script = try folder.write(Array(GuestPrograms.shellScript.utf8), to: "script")
    try await expectSame("busybox sh \(script)", in: folder.path)
  }

  @Test func python() async throws {
    guard has("python3") else { return }
    let folder = try TemporaryFolder()
    let script = try folder.write(Array(GuestPrograms.python.utf8), to: "script.py")
    try await expectSame("python3 \(script)", in: folder.path)
  }

  @Test func git() async throws {
    guard has("git") else { return }
    let folder = try TemporaryFolder()
    try await expectSame(GuestPrograms.git, in: folder.path)
  }

  @Test func gccAndMake() async throws {
    guard has("gcc"), has("make") else { return }
    let folder = try TemporaryFolder()
    try await expectSame(GuestPrograms.build, in: folder.path)
  }

  /// A core is dumped where the machine dumps one without Cordon.
  @Test func theStatusOfACoreDump() async throws {
    let folder = try TemporaryFolder()
    try await expectSame(
      "ulimit -c unlimited; sh -c 'kill -SEGV $$'; echo $?; sh -c 'kill -SYS $$'; echo $?; ls | grep -c core; rm -f core*",
      in: folder.path)
  }

  /// Attached from outside, to a program that runs under Cordon.
  @Test func tracersOutside() async throws {
    guard has("strace"), has("gdb") else { return }
    let folder = try TemporaryFolder()
    let outcome = try await CordonBinary.shell(
      """
      "$cordon" run --all -- sh -c 'echo $$ > pid; while ! [ -e done ]; do sleep 0.1; done; exit 7' & program=$!
      while ! [ -s pid ]; do sleep 0.05; done
      timeout -k 5 900 strace -o trace -p "$(cat pid)" 2> /dev/null & tracer=$!
      while kill -0 $tracer && ! grep -q wait4 trace; do sleep 0.05; done 2> /dev/null
      kill $tracer; wait $tracer
      timeout -k 5 900 gdb -batch -p "$(cat pid)" -ex 'info registers rip' > registers 2> /dev/null < /dev/null
      : > done; wait $program; echo $?
      grep -q wait4 trace && echo traced; grep -q '^rip' registers && echo looked at
      """, in: folder.path)
    #expect(outcome.output == "7\ntraced\nlooked at\n", "\(outcome.error)")
  }
}
