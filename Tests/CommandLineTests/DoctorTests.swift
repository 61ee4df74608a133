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
      alarm(900)
      RefusedCall.seccomp.refuse()
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
      alarm(900)
      var set = sigset_t()
      sigemptyset(&set)
      sigaddset(&set, SIGSYS)
      sigprocmask(SIG_BLOCK, &set, nil)
      FilterInstruction.load([.allow])
      FilterInstruction.load([.allow])
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

  @Test func `it says of every fact of tracing, listeners, code and programs what this machine has`() async throws {
    let result = try await CordonBinary.run("doctor", "--json")
    let document = try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
    let facts = Dictionary(uniqueKeysWithValues: document.facts.map { ($0.name, $0) })
    for (name, since) in [
      ("trace.seize", "3.4"), ("trace.exec", "2.5.46"), ("trace.seccomp", "3.5"), ("trace.exitkill", "3.8"),
      ("trace.sigmask", "3.11"), ("trace.sysemu", "2.6.14"), ("seccomp.bitmap", "5.11"), ("process.pidfd", "5.6"),
      ("seccomp.listener.continue", "5.5"), ("seccomp.listener.addfd", "5.14"), ("memory.fixed_noreplace", "4.17"),
      ("memory.memfd", "3.17"), ("process.mem", "2.6.39"), ("process.clone3", "5.5"),
    ] {
      let fact = try #require(facts[name], "\(name)")
      #expect(fact.since == since && fact.answer == "yes", "\(name): \(fact.reason ?? "")")
    }
    for name in ["host.processors", "host.clock", "host.int80", "process.get_filter", "program.find", "program.strace"]
    {
      #expect(facts[name]?.answer != nil, "\(name)")
    }
  }

  @Test func `where tracing is forbidden it says so, and how it can be had`() async throws {
    let exit = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
      [path = CordonBinary.path.string as String] in
      alarm(900)
      RefusedCall.ptrace.refuse()
      execute(path, "doctor")
    }
    let lines = String(decoding: exit?.standardOutputContent ?? [], as: UTF8.self).split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("  a process can be traced") })
    #expect(line.contains(" no ") && line.contains("it is forbidden") && line.contains("ptrace_scope=0"))
  }

  @Test func `where dispatch is unknown it says since when there is any, and what does the same`() async throws {
    let exit = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
      [path = CordonBinary.path.string as String] in
      alarm(900)
      RefusedCall.dispatch.refuse()
      execute(path, "doctor")
    }
    let lines = String(decoding: exit?.standardOutputContent ?? [], as: UTF8.self).split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("  one allowed range") })
    #expect(line.contains(" no ") && line.contains("since Linux 5.11") && line.contains("mechanism seccomp"))
  }

  @Test func `answers to a tracer and of a listener tell forbidden from unknown`() {
    #expect(TraceFacts.reason(against: 0) == nil)
    #expect(TraceFacts.reason(against: -Int(EPERM))?.contains("forbidden") == true)
    #expect(TraceFacts.reason(against: -Int(EINVAL)) == "this kernel does not know it")
    #expect(ListenerFacts.reason(.status(ENOENT)) == nil)
    #expect(ListenerFacts.reason(.status(EBUSY))?.contains("has a listener already") == true)
    #expect(ListenerFacts.reason(.status(EINVAL)) == "this kernel does not know it")
    #expect(ListenerFacts.reason(.status(0)) != nil)
    #expect(ListenerFacts.reason(.signal(31))?.contains("signal 31") == true)
  }

  @Test(arguments: [
    ("Linux 6.18.44-fc", Fact.Answer.yes), ("Linux 5.11.0", .yes), ("Linux 5.10.200-amd64", .no), ("Linux 4.19", .no),
    ("Linux next", .unknown),
  ])
  func `the bitmap is there since Linux 5.11`(kernel: String, answer: Fact.Answer) {
    #expect(HostFacts.bitmap(kernel).answer == answer)
  }

  @Test func `one processor, and a clock that needs a call, are each a no with its remedy`() {
    #expect(HostFacts.processors(1).answer == .no && HostFacts.processors(2).answer == .yes)
    #expect(HostFacts.clock("tsc").answer == .yes && HostFacts.clock("kvm-clock").answer == .yes)
    #expect(HostFacts.clock("hpet").answer == .no && HostFacts.clock("hpet").remedy != nil)
  }
}
