internal import FilterCompiler

/// A condition as a profile has it: `arg0 < 3`, `arg2 & 0x4 == 0`, `arg1 in 0x10...0x1f`.
struct ConditionText {
  /// What is wrong with it, and how many Unicode scalars before that there are.
  struct Problem: Error {
    let text: String
    var remedy: String?
    let offset: Int
  }

  /// A word, a number or an operator.
  private struct Token {
    let text: String
    let offset: Int
  }

  private static let forms = "for example 'arg0 < 3', 'arg2 & 0x4 == 0', 'arg1 in 0x10...0x1f'"

  private let end: Int
  private var tokens: ArraySlice<Token>

  /// The condition that `text` is.
  static func condition(_ text: String) throws(Problem) -> ArgumentCondition {
    var reader = ConditionText(text)
    return try reader.condition()
  }

  private init(_ text: String) {
    var tokens: [Token] = []
    let scalars = Array(text.unicodeScalars)
    var index = 0
    while index < scalars.count {
      let start = index
      func take(while isPart: (Unicode.Scalar) -> Bool) {
        while index < scalars.count, isPart(scalars[index]) { index += 1 }
      }
      let first = scalars[index]
      if first.properties.isWhitespace {
        index += 1
        continue
      }
      if Self.isWord(first) || first == "-" {
        index += 1
        take(while: Self.isWord)
      } else if first == "." {
        take { $0 == "." }
      } else if "=!<>".unicodeScalars.contains(first) {
        index += 1
        take { $0 == "=" }
      } else {
        index += 1
      }
      tokens.append(Token(text: String(String.UnicodeScalarView(scalars[start..<index])), offset: start))
    }
    end = scalars.count
    self.tokens = tokens[...]
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_"
  }

  private mutating func condition() throws(Problem) -> ArgumentCondition {
    let subject = try next("an argument")
    let argument = try Self.argument(subject)
    let sign = try next("a comparison")
    let test: ArgumentCondition.Test
    switch sign.text {
    case "==": test = .equal(try number())
    case "!=": test = .notEqual(try number())
    case "<": test = .less(try number())
    case "<=": test = .lessOrEqual(try number())
    case ">": test = .greater(try number())
    case ">=": test = .greaterOrEqual(try number())
    case "&":
      let mask = try number()
      let equals = try next("'=='")
      guard equals.text == "==" else {
        let remedy = equals.text == "!=" ? "put a rule with '==' before one without the condition" : Self.forms
        throw Problem(
          text: "a mask is compared by '==', not by '\(equals.text)'", remedy: remedy, offset: equals.offset)
      }
      test = .masked(mask, equal: try number())
    case "in":
      let lowest = try number()
      let dots = try next("'...'")
      guard dots.text == "..." else {
        throw Problem(
          text: "a range is LOWEST...HIGHEST, both included, without '\(dots.text)'", remedy: Self.forms,
          offset: dots.offset)
      }
      test = .within(lowest, try number())
    default:
      throw Problem(
        text: "'\(sign.text)' is no comparison", remedy: sign.text == "=" ? "did you mean '=='?" : Self.forms,
        offset: sign.offset)
    }
    if let rest = tokens.first {
      throw Problem(
        text: "'\(rest.text)' is one thing too many", remedy: "list conditions one by one: all of them must hold",
        offset: rest.offset)
    }
    do {
      return try ArgumentCondition(argument: argument, test)
    } catch {
      throw Problem(text: "\(error)", remedy: Self.remedy(error), offset: subject.offset)
    }
  }

  private mutating func next(_ expected: String) throws(Problem) -> Token {
    guard let token = tokens.popFirst() else {
      throw Problem(text: "the condition ends where \(expected) is expected", remedy: Self.forms, offset: end)
    }
    return token
  }

  private static func argument(_ token: Token) throws(Problem) -> Int {
    let digits = token.text.dropFirst(3)
    if token.text.hasPrefix("arg"), !digits.isEmpty, digits.allSatisfy(\.isNumber) {
      // What is too long for a number is too high for an argument as well.
      let number = Int(digits) ?? .max
      guard (0..<6).contains(number) else {
        throw Problem(
          text: "there is no argument \(digits): a system call has arg0 to arg5", offset: token.offset)
      }
      return number
    }
    throw Problem(
      text: "'\(token.text)' is no argument", remedy: "arguments go by their places, arg0 to arg5", offset: token.offset
    )
  }

  private mutating func number() throws(Problem) -> UInt64 {
    let token = try next("a number")
    if let value = address(parsing: token.text) ?? UInt64(token.text), token.text.first != "+" { return value }
    let digits = token.text.drop { $0 == "-" }
    let isNumber =
      !digits.isEmpty && digits.allSatisfy { $0.isNumber }
      || digits.lowercased().hasPrefix("0x") && digits.count > 2 && digits.dropFirst(2).allSatisfy(\.isHexDigit)
    guard isNumber else {
      throw Problem(text: "'\(token.text)' is no number", remedy: Self.forms, offset: token.offset)
    }
    guard digits.count == token.text.count else {
      throw Problem(
        text: "\(token.text): arguments are unsigned",
        remedy: "write the 64 bits that the register holds: 0xffffffffffffffff for a long -1, and for an int"
          + " 'argN & 0xffffffff == 0xffffffff'", offset: token.offset)
    }
    throw Problem(
      text: "\(token.text) has more than 64 bits",
      remedy: "no argument has such a value; the largest is \(hexadecimal(UInt64.max))",
      offset: token.offset)
  }

  private static func remedy(_ error: ArgumentConditionError) -> String? {
    switch error {
    case .noSuchArgument: nil
    case .neverHolds: "what is meant may be '<=' or '>='"
    case .alwaysHolds: "leave it out"
    case .bitsOutsideMask: "compare with bits of the mask"
    case .emptyRange: "the lower bound comes first"
    }
  }
}
