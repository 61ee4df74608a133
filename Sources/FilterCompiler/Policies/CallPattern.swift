/// Calls with one number, of whose arguments all conditions hold.
public struct CallPattern: Hashable, Sendable {
  /// The number as the kernel reports it.
  public let number: UInt32
  /// What is asked of the arguments; none for all calls with the number.
  public let conditions: [ArgumentCondition]

  /// The calls `number` of which all `conditions` hold.
  public init(_ number: UInt32, where conditions: [ArgumentCondition] = []) {
    self.number = number
    self.conditions = conditions
  }

  /// Whether a call has the number and all conditions hold.
  public func matches(_ call: SeccompData) -> Bool {
    call.number == number && conditions.allSatisfy { $0.holds(call.arguments) }
  }

  /// When all conditions hold, as a function of the call.
  func matches(in diagram: inout DecisionDiagram) throws(ProofError.Reason) -> DecisionDiagram.Function {
    var result = DecisionDiagram.Function.always
    for condition in conditions { result = try diagram.choose(condition.holds(in: &diagram), result, .never) }
    return result
  }
}

extension CallPattern: CustomStringConvertible {
  /// `10 where arg2 & 0x40 == 0x40`.
  public var description: String {
    conditions.isEmpty ? "\(number)" : "\(number) where " + conditions.map(\.description).joined(separator: ", ")
  }
}
