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
      policies[policy] = UInt32(CORDON_DISPOSITION_POLICY) + UInt32(added)
    }
  }

  /// Whether the policies of a change could be learned.
  /// - Throws: ``SessionError/policy(_:reason:)``.
  func checkPolicies(of operations: [SessionChange.Operation]) throws(SessionError) {
    for policy in Self.policies(of: operations) where policies[policy] == nil { _ = try Self.program(of: policy) }
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
