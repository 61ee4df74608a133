import Cordon
import FilterCompiler
import Glibc
import Testing

/// A session whose default traps: only named modules may call.
@Suite struct Modules {
  @Test func `only libc, ld and the vDSO may call: code elsewhere traps, libc goes free`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      let code = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
      memcpy(code, getpidCode, getpidCode.count)
      mprotect(code, 4096, PROT_READ | PROT_EXEC)
      let session = try Session(default: .trap)
      for module in ["libc.so*", "ld-linux*.so*", "vdso"] { try session.allow(module: module) }
      try session.setHook(TrapHook { trap in trap.region == nil && trap.number == 39 ? .value(4711) : .pass })
      try session.activate(for: .allThreads)
      guard call(UInt64(UInt(bitPattern: code))) == 4711 else { exit(1) }
      let before = session.statistics.traps
      for _ in 0..<100 { _ = getppid() }
      exit(session.statistics.traps == before ? 0 : 2)
    }
  }

  @Test func `a module that matches nothing is named, with what is near`() throws {
    let session = try Session(default: .trap)
    do throws(SessionError) {
      try session.allow(module: "libcc.so.6")
      Issue.record("found")
    } catch {
      #expect("\(error)".contains("libcc.so.6"))
      #expect(error.remedy?.contains("libc.so.6") == true)
      #expect(session.regions.isEmpty)
    }
  }
}
