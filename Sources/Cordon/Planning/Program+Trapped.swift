package import FilterCompiler

extension Program {
  /// The instruction pointers at which the program traps a call that it does not know the number of; exact, since every
  /// way through the program is followed with the pointers that take it. nil for what is not decided by comparisons with
  /// constants, each upper half alone: no filter of a session is.
  package func trappedPointers(
    number: UInt32 = 0x3fff_ffff, architecture: AuditArchitecture = .x86_64
  ) -> IntervalSet? {
    var found: [IntervalSet.Interval] = []
    var ways = [Way(at: 0, holds: .constant(0))]
    while var way = ways.popLast() {
      guard way.at < instructions.count, let operation = try? Operation(instructions[way.at]) else { return nil }
      way.at += 1
      switch operation {
      case .loadData(.number): way.holds = .constant(number)
      case .loadData(.architecture): way.holds = .constant(architecture.rawValue)
      case .loadData(.instructionPointerHigh): way.holds = .upper
      case .loadData(.instructionPointerLow): way.holds = .lower
      case .jump(let distance): way.at += Int(distance)
      case .branch(let comparison, .constant(let constant), let jt, let jf):
        for (outcome, distance) in [(true, jt), (false, jf)] {
          guard let arms = way.narrowed(comparison, constant, outcome) else { return nil }
          for var arm in arms {
            arm.at += Int(distance)
            ways.append(arm)
          }
        }
        continue
      case .answer(let action):
        guard action.kind != .allow else { continue }
        guard let interval = way.pointers else { return nil }
        found.append(interval)
        continue
      default: return nil
      }
      ways.append(way)
    }
    return IntervalSet(found)
  }
}

/// Calls that have taken the same way through a program, up to an instruction.
private struct Way {
  enum Held {
    case constant(UInt32), upper, lower
  }

  var at: Int
  var holds: Held
  /// What is known of the halves of their instruction pointers.
  var upper: ClosedRange<UInt32> = 0...UInt32.max
  var lower: ClosedRange<UInt32> = 0...UInt32.max

  init(at: Int, holds: Held) {
    self.at = at
    self.holds = holds
  }

  /// Those of them that a comparison sends one way; in two parts where they lie on both sides of a number. nil where
  /// the comparison is of bits.
  func narrowed(_ comparison: FilterCompiler.Operation.Comparison, _ constant: UInt32, _ outcome: Bool) -> [Way]? {
    var numbers: [ClosedRange<UInt32>] = []
    switch (comparison, outcome) {
    case (.equal, true): numbers = [constant...constant]
    case (.equal, false):
      if constant > 0 { numbers.append(0...constant - 1) }
      if constant < .max { numbers.append(constant + 1...UInt32.max) }
    case (.greater, true): if constant < .max { numbers = [constant + 1...UInt32.max] }
    case (.greater, false): numbers = [0...constant]
    case (.greaterOrEqual, true): numbers = [constant...UInt32.max]
    case (.greaterOrEqual, false): if constant > 0 { numbers = [0...constant - 1] }
    case (.anyBit, _): return nil
    }
    return numbers.compactMap { range in
      var way = self
      switch holds {
      case .constant(let value): return range.contains(value) ? way : nil
      case .upper:
        guard upper.overlaps(range) else { return nil }
        way.upper = upper.clamped(to: range)
      case .lower:
        guard lower.overlaps(range) else { return nil }
        way.lower = lower.clamped(to: range)
      }
      return way
    }
  }

  /// Their instruction pointers, if those are one interval.
  var pointers: IntervalSet.Interval? {
    guard upper.count == 1 || (lower.lowerBound == 0 && lower.upperBound == .max) else { return nil }
    return IntervalSet.Interval(
      UInt64(upper.lowerBound) << 32 | UInt64(lower.lowerBound),
      UInt64(upper.upperBound) << 32 | UInt64(lower.upperBound))
  }
}
