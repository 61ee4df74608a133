/// A comparison in words, with all that is known where it stands.
struct Condition {
  let comparison: Operation.Comparison
  let operand: Operation.Operand
  let known: KnownValues
  /// Whose numbers are meant where that is not known.
  let architecture: AuditArchitecture
  let name: Disassembler.Naming

  /// The condition, or its opposite.
  func text(negated: Bool) -> String {
    guard case .constant(let constant) = operand else { return plain(subject, "X", negated) }
    switch known.word {
    case .number?:
      return plain("nr", number(constant), negated)
    case .architecture?:
      let bits = comparison == .anyBit
      return plain("arch", bits ? hexadecimal(constant) : "\(AuditArchitecture(rawValue: constant))", negated)
    case let word? where word.isHighHalf:
      return upperHalf(word.valueName, constant, negated)
    case let word? where comparison != .anyBit:
      // The lower half of a value decides the whole where the upper half is known.
      guard let other = word.otherHalf, let high = known.value(of: other) else { break }
      return plain(word.valueName, hexadecimal(UInt64(high) << 32 | UInt64(constant)), negated)
    default: break
    }
    return plain(subject, hexadecimal(constant), negated)
  }

  private func number(_ constant: UInt32) -> String {
    switch comparison {
    case .equal: name(constant, known.architecture ?? architecture) ?? Self.plainNumber(constant)
    case .anyBit: hexadecimal(constant)
    case .greater, .greaterOrEqual: Self.plainNumber(constant)
    }
  }

  /// A call's number: with a mark in a high bit, such as that of x32, it is no longer a count.
  static func plainNumber(_ number: UInt32) -> String {
    number < 1 << 30 ? String(number) : hexadecimal(number)
  }

  /// The upper half decides alone where the whole value lies with respect to a multiple of 2^32.
  private func upperHalf(_ value: String, _ constant: UInt32, _ negated: Bool) -> String {
    switch comparison {
    case .greaterOrEqual:
      return "\(value) \(negated ? "<" : ">=") \(hexadecimal(UInt64(constant) << 32))"
    case .greater where constant < .max:
      return "\(value) \(negated ? "<" : ">=") \(hexadecimal((UInt64(constant) + 1) << 32))"
    case .equal:
      return "\(value) >> 32 \(negated ? "!=" : "==") \(hexadecimal(constant))"
    case .greater, .anyBit:
      return plain("\(value).high", hexadecimal(constant), negated)
    }
  }

  /// What stands in the accumulator.
  private var subject: String {
    switch known.accumulator {
    case .word(let word, .max): "\(word)"
    case .word(let word, let mask): "(\(word) & \(hexadecimal(mask)))"
    case .constant, .unknown: "A"
    }
  }

  private func plain(_ left: String, _ right: String, _ negated: Bool) -> String {
    switch (comparison, negated) {
    case (.equal, false): "\(left) == \(right)"
    case (.equal, true): "\(left) != \(right)"
    case (.greater, false): "\(left) > \(right)"
    case (.greater, true): "\(left) <= \(right)"
    case (.greaterOrEqual, false): "\(left) >= \(right)"
    case (.greaterOrEqual, true): "\(left) < \(right)"
    case (.anyBit, false): "\(left) & \(right)"
    case (.anyBit, true): "!(\(left) & \(right))"
    }
  }
}
