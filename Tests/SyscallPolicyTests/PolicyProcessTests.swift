import FilterCompiler
import Foundation
import Glibc
import SyscallPolicy
import TestSupport
import Testing

/// That libseccomp runs in a process of its own is nobody's business: programs with threads, with children and with signal
/// handlers can compile policies.
@Suite struct PolicyProcessTests {
  /// A policy that allows `number` where its first argument is one of a few.
  private static func policy(_ number: UInt32) throws -> Policy {
    let rules = try (0..<5).map { index in
      Policy.Rule(
        number, where: [try ArgumentCondition(argument: 0, .equal(UInt64(index) << 33 | UInt64(number)))],
        Action(.allow))
    }
    return try Policy(tables: [.x86_64: Policy.Table(rules, otherwise: Action(.errno, data: 1))])
  }

  /// The decision of a freshly compiled policy on a call that it allows and on one that it does not.
  private static func isDecided(_ number: UInt32) throws -> Bool {
    let body = try PolicyBody(compiling: policy(number))
    let program = try RegionMap(architecture: .x86_64, default: .policy(body)).compile()
    func answer(_ first: UInt64) -> Action {
      program.evaluate(SeccompData(nr: number, arch: .x86_64, args: [first, 0, 0, 0, 0, 0])).action
    }
    return answer(3 << 33 | UInt64(number)) == Action(.allow) && answer(7) == Action(.errno, data: 1)
  }

  @Test func threadsThatCompileAtOnce() async throws {
    let decided = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in UInt32(100)..<132 { group.addTask { try Self.isDecided(number) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(decided.count == 32 && decided.allSatisfy { $0 })
  }

  /// Such programs are never told how a child ended: the kernel takes it away at once.
  @Test func programsThatIgnoreTheirChildren() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      signal(SIGCHLD, SIG_IGN)
      try #require(try Self.isDecided(100))
      exit(0)
    }
  }

  /// Compiled, refused or ended: what libseccomp needed is gone, and the program's signals are its own again.
  @Test func nothingIsLeftBehind() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      var mask = sigset_t()
      sigemptyset(&mask)
      for signal in [SIGUSR1, SIGPROF] { sigaddset(&mask, signal) }
      pthread_sigmask(SIG_SETMASK, &mask, nil)
      let before = ProcessTraces()
      try #require(try Self.isDecided(100))
      try #require(throws: PolicyCompileError.self) { try PolicyBody(handingOver: Self.refusedPolicy()) }
      let (meaning, rules) = try Self.endlessRules()
      try #require(throws: PolicyCompileError.self) { try PolicyBody(handingOver: meaning, as: rules) }
      let after = ProcessTraces()
      exit(before == after && before.children.isEmpty ? 0 : 1)
    }
  }

  /// A build that something has stopped would never use up its time on a processor.
  @Test func aBuildThatStandsStillIsEnded() async {
    await #expect(processExitsWith: .exitCode(0)) {
      alarm(900)
      let (meaning, rules) = try Self.endlessRules()
      let stopper = TestThread {
        while true {
          usleep(10_000)
          // The endless rule is all that takes time.
          guard let child = ProcessTraces().children.first(where: { Self.processorTicks($0) >= 5 }) else { continue }
          return Int(kill(child, SIGSTOP))
        }
      }
      do {
        _ = try PolicyBody(handingOver: meaning, as: rules)
      } catch let error as PolicyCompileError {
        try #require(stopper.join() == 0)
        try #require(ProcessTraces().children.isEmpty)
        try #require(
          error.rule == Policy.RuleIndex(.x86_64, 1) && "\(error)".contains("rule 2 for x86_64: libseccomp stood still")
        )
        guard case .standstill = error.reason else { exit(2) }
        exit(0)
      }
      exit(3)
    }
  }

  /// How long a process has run on a processor, in hundredths of a second; 0 where there is none (proc_pid_stat(5)).
  private static func processorTicks(_ process: pid_t) -> Int {
    let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
  }

  /// Two comparisons of one argument in a rule.
  private static func refusedPolicy() throws -> Policy {
    let rule = Policy.Rule(100, where: [try ArgumentCondition(argument: 0, .within(3, 9))], Action(.allow))
    return try Policy(tables: [.x86_64: Policy.Table([rule], otherwise: Action(.errno, data: 1))])
  }

  /// Rules from which libseccomp does not come back, and a policy that means the same.
  private static func endlessRules() throws -> (meaning: Policy, rules: [CallTable: [Policy.Rule]]) {
    func rule(_ test: ArgumentCondition.Test) throws -> Policy.Rule {
      Policy.Rule(
        100,
        where: [try ArgumentCondition(argument: 0, .notEqual(1)), try ArgumentCondition(argument: 1, test)],
        Action(.allow))
    }
    let first = try rule(.notEqual(1))
    let meaning = try Policy(tables: [.x86_64: Policy.Table([first], otherwise: Action(.errno, data: 1))])
    return (meaning, [.x86_64: [first, try rule(.equal(0x1_0000_0001))]])
  }
}

/// What a process has that a library could leave behind.
private struct ProcessTraces: Equatable {
  /// By number, what each is open on; without the timers and events that libdispatch opens and closes as it likes.
  let descriptors: [String: String]
  let children: [pid_t]
  let blockedSignals: [CInt]

  init() {
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    var descriptors: [String: String] = [:]
    for number in numbers {
      descriptors[number] = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
    }
    self.descriptors = descriptors.filter { !$0.value.hasPrefix("anon_inode:") }
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    children = threads.flatMap { thread in
      (try? String(contentsOfFile: "/proc/self/task/\(thread)/children", encoding: .utf8))?
        .split(separator: " ").compactMap { pid_t($0) } ?? []
    }
    var mask = sigset_t()
    pthread_sigmask(SIG_SETMASK, nil, &mask)
    blockedSignals = (1...64).filter { sigismember(&mask, $0) == 1 }
  }
}
