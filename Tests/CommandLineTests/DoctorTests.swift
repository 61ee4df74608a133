import CLinux
import Glibc
import SystemPackage
import Testing

import struct Foundation.Data
import class Foundation.JSONDecoder

@testable import cordon

private struct Document: Decodable {
  struct Entry: Decodable {
    var name: String
    var title: String
    var answer: String?
    var value: String?
    var since: String?
    var reason: String?
    var remedy: String?
  }
  var schema: String
  var usable: Bool
  var facts: [Entry]
}

@Suite struct DoctorTests {
  @Test func `it says a line a fact, and that filters can be used here`() async throws {
    let result = try await CordonBinary.run("doctor")
    #expect(result.status == 0)
    #expect(result.error == "")
    let lines = result.output.split(separator: "\n")
    for fact in [
      "kernel", "architecture", "filters", "action trap", "action user_notif", "flag TSYNC", "flag WAIT_KILLABLE_RECV",
      "one trapped range", "libseccomp", "may load filters", "SIGSYS", "address space",
    ] {
      #expect(lines.contains { $0.hasPrefix("  \(fact)") }, "\(fact)")
    }
    #expect(lines.contains { $0.hasPrefix("  action trap") && $0.contains(" yes ") && $0.hasSuffix("since Linux 3.5") })
  }

  @Test func `as JSON every no has its reason, and names are unique`() async throws {
    let result = try await CordonBinary.run("doctor", "--json")
    #expect(result.status == 0)
    let document = try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
    #expect(document.schema == "cordon.doctor/1")
    #expect(document.usable)
    #expect(Set(document.facts.map(\.name)).count == document.facts.count)
    for fact in document.facts {
      #expect(fact.answer == nil || ["yes", "no", "unknown"].contains(fact.answer), "\(fact.name)")
      #expect((fact.answer == "no" || fact.answer == "unknown") == (fact.reason != nil), "\(fact.name)")
      #expect(fact.answer == nil || fact.answer != "no" || fact.remedy != nil, "\(fact.name)")
      #expect(fact.answer != nil || fact.value != nil, "\(fact.name)")
    }
  }

  @Test func `where seccomp is hidden it says so and exits with 69`() async {
    let exit = await #expect(
      processExitsWith: .exitCode(69), observing: [\.standardOutputContent, \.standardErrorContent]
    ) { [path = CordonBinary.path.string as String] in
      alarm(20)
      hideSeccomp()
      execute(path, "doctor")
    }
    let lines = String(decoding: exit?.standardOutputContent ?? [], as: UTF8.self).split(separator: "\n")
    #expect(
      lines.contains { $0.hasPrefix("  filters ") && $0.contains(" no ") && $0.contains("CONFIG_SECCOMP_FILTER") })
    let error = String(decoding: exit?.standardErrorContent ?? [], as: UTF8.self)
    #expect(error.hasPrefix("cordon: doctor: seccomp filters cannot be used here\n"))
  }

  @Test func `filters around it are counted, and SIGSYS that it was started with is seen`() async {
    let exit = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
      [path = CordonBinary.path.string as String] in
      alarm(20)
      var set = sigset_t()
      sigemptyset(&set)
      sigaddset(&set, SIGSYS)
      sigprocmask(SIG_BLOCK, &set, nil)
      load([allow])
      load([allow])
      execute(path, "doctor")
    }
    let lines = String(decoding: exit?.standardOutputContent ?? [], as: UTF8.self).split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("  filters attached already") && $0.contains(" 2; ") })
    #expect(lines.contains { $0.hasPrefix("  SIGSYS neither") && $0.contains(" no ") && $0.contains("blocked since") })
    #expect(lines.contains { $0.hasPrefix("  may load filters as it is") && $0.contains(" yes ") })
  }
}

@Suite struct FactTests {
  @Test func `a reason makes a no, and only a no needs a remedy`() {
    let yes = Fact.check("a", "A", since: "5.0", reason: nil, remedy: "buy another")
    #expect(yes.answer == .yes && yes.remedy == nil && yes.detail == "since Linux 5.0")
    let no = Fact.check("a", "A", since: "5.0", reason: "too old", remedy: "buy another")
    #expect(no.answer == .no && no.detail == "since Linux 5.0; too old; buy another")
  }

  @Test(
    arguments: [
      (nil, "0", Fact.Answer.yes), ("0", "0", .yes), ("1", "0", .no), ("2", "0", .no), ("3", "0", .no),
      ("1", "80000", .yes), ("2", "80000", .yes), ("3", "80000", .no),
    ] as [(String?, String, Fact.Answer)])
  func `tracing is allowed as Yama and capabilities say`(scope: String?, capabilities: String, answer: Fact.Answer) {
    let status = ProcessStatus("CapEff:\t\(capabilities)\n")
    #expect(ProcessFacts.ptrace(status, scope: scope).answer == answer)
  }

  @Test(arguments: [
    ("CapEff:\t0000000000200000\nNoNewPrivs:\t0\n", Fact.Answer.yes),
    ("CapEff:\t0000000000000000\nNoNewPrivs:\t1\n", .yes),
    ("CapEff:\t0000000000000000\nNoNewPrivs:\t0\n", .no),
    ("", .no),
  ])
  func `filters may be loaded with the capability or without new privileges`(text: String, answer: Fact.Answer) {
    #expect(ProcessFacts.privileges(ProcessStatus(text)).answer == answer)
  }

  @Test(
    arguments: [
      ("SigBlk:\t0000000040000000\nSigIgn:\t0\n", "blocked"), ("SigBlk:\t0\nSigIgn:\t0000000040000000\n", "ignored"),
      ("SigBlk:\t00000000bfffffff\nSigIgn:\t00000000bfffffff\n", nil),
    ] as [(String, String?)])
  func `SIGSYS is found in the masks`(text: String, reason: String?) {
    let fact = ProcessFacts.signal(ProcessStatus(text))
    #expect((fact.reason == nil) == (reason == nil))
    #expect(fact.reason?.contains(reason ?? "") != false)
  }

  @Test func `attached filters are told on old kernels too`() {
    #expect(ProcessFacts.attached(ProcessStatus("Seccomp:\t0\nSeccomp_filters:\t0\n")).value == "0")
    #expect(ProcessFacts.attached(ProcessStatus("Seccomp:\t2\nSeccomp_filters:\t3\n")).value?.hasPrefix("3;") == true)
    #expect(ProcessFacts.attached(ProcessStatus("Seccomp:\t2\n")).value?.hasPrefix("at least 1;") == true)
  }

  @Test func `the vsyscall page is told by its permissions`() {
    let line = "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n"
    #expect(HostFacts.vsyscall(maps: line) == "emulated, execute only")
    #expect(HostFacts.vsyscall(maps: line.replacing("--xp", with: "r-xp")) == "emulated, readable")
    #expect(HostFacts.vsyscall(maps: "").hasPrefix("none"))
  }

  @Test func `the kernel's answer tells unknown from forbidden`() {
    #expect(SeccompFacts.reason(against: 0) == nil)
    #expect(SeccompFacts.reason(against: -Int(EINVAL)) == "this kernel does not know it")
    #expect(SeccompFacts.reason(against: -Int(EPERM))?.contains("filter around this process") == true)
  }
}

// MARK: - What the children of these tests do to themselves

/// One instruction of classic BPF, as struct sock_filter.
private struct FilterInstruction {
  var code: UInt16
  var jumpTrue: UInt8 = 0
  var jumpFalse: UInt8 = 0
  var operand: UInt32
}

private let allow = FilterInstruction(code: 0x06, operand: 0x7fff_0000)

/// Has seccomp(2) answer ENOSYS from now on, as kernels without it do.
private func hideSeccomp() {
  load([
    FilterInstruction(code: 0x20, operand: 0),
    FilterInstruction(code: 0x15, jumpTrue: 0, jumpFalse: 1, operand: UInt32(SYS_seccomp)),
    FilterInstruction(code: 0x06, operand: 0x0005_0000 | UInt32(ENOSYS)),
    allow,
  ])
}

/// Attaches a filter to this process.
private func load(_ instructions: [FilterInstruction]) {
  struct Program {
    var length: UInt16
    var instructions: UnsafePointer<FilterInstruction>?
  }
  _ = linux_call(Int(SYS_prctl), 38, 1, 0, 0, 0, 0)  // PR_SET_NO_NEW_PRIVS
  instructions.withUnsafeBufferPointer { buffer in
    let program = Program(length: UInt16(buffer.count), instructions: buffer.baseAddress)
    withUnsafePointer(to: program) { program in
      let loaded = linux_call(Int(SYS_seccomp), 1, 0, Int(bitPattern: program), 0, 0, 0)
      if loaded != 0 { exit(3) }
    }
  }
}

/// Becomes another program.
private func execute(_ path: String, _ arguments: String...) {
  var pointers = ([path] + arguments).map { strdup($0) } + [nil]
  execv(path, &pointers)
  exit(4)
}
