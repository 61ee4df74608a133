import FilterCompiler
import SystemPackage
import TrapEngine

extension RegionStore {
  /// Has the SIGSYS handler's table know the policies of a change. They need not come to be used: what is known stays.
  /// - Throws: ``SessionError/policy(_:reason:)``, ``SessionError/memory(_:)``.
  mutating func learnPolicies(of operations: [SessionChange.Operation]) throws(SessionError) {
    for policy in Self.policies(of: operations) where policies[policy] == nil {
      let added = try Self.program(of: policy).instructions.withUnsafeBytes { instructions in
        let first = instructions.baseAddress?.assumingMemoryBound(to: CordonInstruction.self)
        return cordon_policy_add(first, UInt64(instructions.count / MemoryLayout<CordonInstruction>.stride))
      }
      guard added >= 0 else { throw .memory(Errno(rawValue: Int32(-added))) }
      name(policy, UInt32(CORDON_DISPOSITION_POLICY) + UInt32(added))
    }
  }

  /// The numbers whose calls all code that traps by a row may make. None where nothing does.
  func permittedNumbers(by row: StepRow) -> Set<UInt32> {
    var common: Set<UInt32>?
    for code in Set(row.steps.map(\.disposition)) where code != 0 {
      let own = permitted[code] ?? []
      common = common?.intersection(own) ?? own
    }
    return common ?? []
  }

  /// Whether all code that traps by a row may make calls of these numbers.
  func permits(_ numbers: Set<UInt32>, by row: StepRow) -> Bool {
    row.steps.allSatisfy { $0.disposition == 0 || numbers.isSubset(of: permitted[$0.disposition] ?? []) }
  }

  /// The same for regions that nothing comes of: the policies get names that the table does not know.
  /// - Throws: ``SessionError/policy(_:reason:)``.
  mutating func supposePolicies(of operations: [SessionChange.Operation]) throws(SessionError) {
    for policy in Self.policies(of: operations) where policies[policy] == nil {
      _ = try Self.program(of: policy)
      name(policy, .max - UInt32(policies.count))
    }
  }

  private mutating func name(_ policy: Policy, _ code: UInt32) {
    policies[policy] = code
    permitted[code] = policy.permittedNumbers(in: .x86_64)
  }

  private static func policies(of operations: [SessionChange.Operation]) -> [Policy] {
    operations.compactMap { operation in
      switch operation {
      case .declare(_, .policy(let policy)), .set(_, .policy(let policy)): policy
      case .declare, .set, .remove: nil
      }
    }
  }

  private static func program(of policy: Policy) throws(SessionError) -> Program {
    for answer in policy.answers {
      switch answer.kind {
      case .allow, .trap, .errno, .killProcess: break
      default: throw .policy(policy, reason: "'\(answer)' is an answer that only a filter can give")
      }
    }
    do {
      return try RegionMap(default: .policy(PolicyBody(readOff: policy))).compile()
    } catch {
      throw .policy(policy, reason: "\(error)")
    }
  }
}
