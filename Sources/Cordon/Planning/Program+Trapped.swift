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
        guard way.split(comparison, constant, jt: jt, jf: jf, into: &ways) else { return nil }
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

  /// Appends those of them that a comparison sends either way, in two parts where they lie on both sides of a number; false
  /// where the comparison is of bits.
  func split(
    _ comparison: FilterCompiler.Operation.Comparison, _ constant: UInt32, jt: UInt8, jf: UInt8, into ways: inout [Way]
  ) -> Bool {
    func go(_ distance: UInt8, _ numbers: ClosedRange<UInt32>) {
      var way = self
      way.at += Int(distance)
      switch holds {
      case .constant(let value):
        guard numbers.contains(value) else { return }
      case .upper:
        guard upper.overlaps(numbers) else { return }
        way.upper = upper.clamped(to: numbers)
      case .lower:
        guard lower.overlaps(numbers) else { return }
        way.lower = lower.clamped(to: numbers)
      }
      ways.append(way)
    }
    switch comparison {
    case .equal:
      go(jt, constant...constant)
      if constant > 0 { go(jf, 0...constant - 1) }
      if constant < .max { go(jf, constant + 1...UInt32.max) }
    case .greater:
      if constant < .max { go(jt, constant + 1...UInt32.max) }
      go(jf, 0...constant)
    case .greaterOrEqual:
      go(jt, constant...UInt32.max)
      if constant > 0 { go(jf, 0...constant - 1) }
    case .anyBit: return false
    }
    return true
  }

  /// Their instruction pointers, if those are one interval.
  var pointers: IntervalSet.Interval? {
    guard upper.count == 1 || (lower.lowerBound == 0 && lower.upperBound == .max) else { return nil }
    return IntervalSet.Interval(
      UInt64(upper.lowerBound) << 32 | UInt64(lower.lowerBound),
      UInt64(upper.upperBound) << 32 | UInt64(lower.upperBound))
  }
}
