import FilterCompiler
import Glibc
import SyscallPolicy
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
      alarm(60)
      signal(SIGCHLD, SIG_IGN)
      try #require(try Self.isDecided(100))
      exit(0)
    }
  }
}
