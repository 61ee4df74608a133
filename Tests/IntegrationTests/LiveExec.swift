import Cordon
import Glibc
import GuestCode
import TestSupport
import Testing

/// Programs that are executed under a session's filters, which outlive exec where its handler does not.
@Suite struct LiveExec {
  /// While what a session takes in is clear of where Linux loads programs, none of them dies: position-independent ones, and
  /// those of the usual fixed addresses. Changes go on all the time, some attach something.
  @Test(arguments: mechanisms)
  func `1,000 programs executed while the session changes`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism)
      let fixed = try #require(FixedProgram(at: 0x40_0000))
      guest.log.answer(Number.getpid, .value, 4711)
      try guest.activate(for: .allThreads)
      let stop = Signpost()
      let pages = try HighPages(16)
      let changer = changes(of: guest, attachingForEvery: 256, in: pages, until: stop)
      for round in 1...1000 {
        check(spawn("/bin/true"), 0, "the wait status of the position-independent program, round \(round)")
        check(spawn(fixed.path), 0, "the wait status of the program of a fixed address, round \(round)")
        if round.isMultiple(of: 10) { check(forkAndExecute("/bin/true"), 0, "the same by fork, round \(round)") }
        guard !guest.session.statistics.endangersPrograms else { break }
      }
      stop.open()
      #expect(changer.join() > 0)
      #expect(!guest.session.statistics.endangersPrograms)
      fixed.remove()
    }
  }

  /// A region where programs go, and what takes in all that is unmapped, are dangerous for programs; the session says so
  /// before it is done.
  @Test func `filters where programs go`() async {
    await #expect(processExitsWith: .success) {
      begin()
      let guest = try Guest("seccomp")
      let session = guest.session
      let low = try #require(FixedProgram(at: 0x40_0000))
      let high = try #require(FixedProgram(at: 0x3_0000_0000))
      try guest.activate(for: .allThreads)
      func trap(_ start: UInt64) throws -> (filters: Int, endangers: Bool) {
        let range = try AddressRange(start: start, end: start + 0x1000)
        let plan = try session.plan { $0.trap(range) }
        try told { () throws(SessionError) in _ = try session.trap(range) }
        check(session.statistics.endangersPrograms, plan.endangersPrograms, "what was planned for \(hex(start))")
        return (session.statistics.filters, plan.endangersPrograms)
      }
      #expect(try trap(0x4000_0000_0000) == (2, false), "all that is clear")
      check([spawn(low.path), spawn(high.path), spawn("/bin/true")], [0, 0, 0], "wait statuses")
      // An exact filter in the middle of where programs of fixed addresses go: one that lies there dies.
      #expect(try trap(0x3_0000_0000) == (3, true), "a region where a program might lie")
      check([spawn(low.path), spawn(high.path), spawn("/bin/true")], [0, SIGSYS, 0], "wait statuses")
      // The widest: all that this process has unmapped. Whether a position-independent one lies there is up to chance.
      #expect(try trap(0x6_0000_0000) == (4, true), "all that is unmapped")
      check([spawn(low.path), spawn(high.path)], [SIGSYS, SIGSYS], "wait statuses")
      #expect((1...20).contains { _ in spawn("/bin/true") == SIGSYS }, "no program has died")
      // This process goes on.
      check(Int(getppid()), nativeCall(Number.getppid), "libc's calls")
      low.remove()
      high.remove()
    }
  }
}

/// A program of a fixed address that exits: the least that execve(2) takes.
private struct FixedProgram {
  let path: String

  /// nil where it cannot be written.
  init?(at address: UInt64) {
    func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
      withUnsafeBytes(of: value.littleEndian, [UInt8].init)
    }
    // mov $60, %eax; xor %edi, %edi; syscall
    let code: [UInt8] = [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]
    let headers = UInt64(64 + 56)
    let size = headers + UInt64(code.count)
    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    file += bytes(UInt16(2)) + bytes(UInt16(62)) + bytes(UInt32(1))  // ET_EXEC, EM_X86_64
    file += bytes(address + headers) + bytes(UInt64(64)) + bytes(UInt64(0)) + bytes(UInt32(0))
    file += [64, 56, 1, 64, 0, 0].flatMap { bytes(UInt16($0)) }
    file += bytes(UInt32(1)) + bytes(UInt32(5))  // PT_LOAD, readable and executable
    file += [0, address, address, size, size, 0x1000].flatMap { bytes(UInt64($0)) }
    file += code
    path = "/tmp/cordon-fixed-\(getpid())-\(address)"
    guard let stream = fopen(path, "w") else { return nil }
    let written = fwrite(file, 1, file.count, stream)
    guard fclose(stream) == 0, written == file.count, chmod(path, 0o755) == 0 else { return nil }
  }

  func remove() { unlink(path) }
}

/// Executes a program without arguments and waits for it: its wait status, or a negated error of posix_spawn.
private func spawn(_ path: String) -> Int32 {
  var pid: pid_t = 0
  let name = strdup(path)
  defer { free(name) }
  let result = posix_spawn(&pid, path, nil, nil, [name, nil], [nil])
  guard result == 0 else { return -result }
  var status: Int32 = -1
  waitpid(pid, &status, 0)
  return status
}

/// The same by fork(3) and execve(2).
private func forkAndExecute(_ path: String) -> Int32 {
  let name = strdup(path)
  defer { free(name) }
  let words: [UnsafeMutablePointer<CChar>?] = [name, nil]
  let pid = fork()
  if pid == 0 {
    execve(path, words, [nil])
    _exit(1)
  }
  var status: Int32 = -1
  waitpid(pid, &status, 0)
  return status
}
