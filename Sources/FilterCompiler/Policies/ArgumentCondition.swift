/// What a rule asks of one argument of a call. Arguments are unsigned and have 64 bits, all of which count.
///
/// A condition always says something: there are values for which it holds, and others.
public struct ArgumentCondition: Hashable, Sendable {
  /// A comparison with constants.
  public enum Test: Hashable, Sendable {
    /// `==`
    case equal(UInt64)
    /// `!=`
    case notEqual(UInt64)
    /// `<`
    case less(UInt64)
    /// `<=`
    case lessOrEqual(UInt64)
    /// `>`
    case greater(UInt64)
    /// `>=`
    case greaterOrEqual(UInt64)
    /// `& mask ==`: of the bits in the mask just those of the value are set.
    case masked(UInt64, equal: UInt64)
    /// From the first to the second, both included.
    case within(UInt64, UInt64)
  }

  /// Which argument, 0...5.
  public let argument: Int
  /// What it is compared with.
  public let test: Test

  /// Asks `test` of an argument, 0...5.
  ///
  /// - Throws: ``ArgumentConditionError`` where there is no such argument, and where no value or every value passes.
  public init(argument: Int, _ test: Test) throws(ArgumentConditionError) {
    guard (0..<6).contains(argument) else { throw .noSuchArgument(argument) }
    self.argument = argument
    self.test = test
    switch test {
    case .less(0), .greater(.max): throw .neverHolds(self)
    case .greaterOrEqual(0), .lessOrEqual(.max), .within(0, .max), .masked(0, equal: 0): throw .alwaysHolds(self)
    case .masked(let mask, let value) where value & ~mask != 0: throw .bitsOutsideMask(self)
    case .within(let lowest, let highest) where lowest > highest: throw .emptyRange(self)
    default: break
    }
  }

  /// Whether it holds for these six arguments.
  public func holds(_ arguments: [UInt64]) -> Bool {
    let value = arguments[argument]
    return switch test {
    case .equal(let constant): value == constant
    case .notEqual(let constant): value != constant
    case .less(let constant): value < constant
    case .lessOrEqual(let constant): value <= constant
    case .greater(let constant): value > constant
    case .greaterOrEqual(let constant): value >= constant
    case .masked(let mask, let wanted): value & mask == wanted
    case .within(let lowest, let highest): lowest <= value && value <= highest
    }
  }
}

extension ArgumentCondition: CustomStringConvertible {
  /// As a profile has it: `arg0 < 0x5`, `arg2 & 0x4 == 0x0`, `arg1 in 0x1...0x9`.
  public var description: String { "arg\(argument) \(test)" }
}

extension ArgumentCondition.Test: CustomStringConvertible {
  /// Without the argument: `< 0x5`.
  public var description: String {
    switch self {
    case .equal(let constant): "== \(hexadecimal(constant))"
    case .notEqual(let constant): "!= \(hexadecimal(constant))"
    case .less(let constant): "< \(hexadecimal(constant))"
    case .lessOrEqual(let constant): "<= \(hexadecimal(constant))"
    case .greater(let constant): "> \(hexadecimal(constant))"
    case .greaterOrEqual(let constant): ">= \(hexadecimal(constant))"
    case .masked(let mask, let value): "& \(hexadecimal(mask)) == \(hexadecimal(value))"
    case .within(let lowest, let highest): "in \(hexadecimal(lowest))...\(hexadecimal(highest))"
    }
  }
}

/// Why a condition was refused.
public enum ArgumentConditionError: Error, Hashable, Sendable {
  /// A system call has six arguments, 0...5.
  case noSuchArgument(Int)
  /// No number is below 0 or above 2^64 - 1.
  case neverHolds(ArgumentCondition)
  /// Every number is 0 or above.
  case alwaysHolds(ArgumentCondition)
  /// Bits are to be set that the mask takes away.
  case bitsOutsideMask(ArgumentCondition)
  /// A range that ends before it starts.
  case emptyRange(ArgumentCondition)
}

extension ArgumentConditionError: CustomStringConvertible {
  /// What is wrong, in one line.
  public var description: String {
    switch self {
    case .noSuchArgument(let argument): "there is no argument \(argument): a system call has arg0 to arg5"
    case .neverHolds(let condition): "'\(condition)' never holds: arguments are unsigned and have 64 bits"
    case .alwaysHolds(let condition): "'\(condition)' always holds: arguments are unsigned and have 64 bits"
    case .bitsOutsideMask(let condition): "'\(condition)' never holds: the value has bits that the mask has not"
    case .emptyRange(let condition): "'\(condition)' never holds: the range ends before it starts"
    }
  }
}
