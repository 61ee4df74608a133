/// Writes a program as an array of `struct sock_filter` for a C compiler, with the disassembly as comments.
public struct CSourceFormat: Sendable {
  private let name: String
  private let disassembler: Disassembler

  /// A format that calls the array `name`; nil where that is not an identifier of letters, digits and underscores.
  public init?(name: String = "filter", disassembler: Disassembler = Disassembler()) {
    func isLetter(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard let first = name.utf8.first, isLetter(first), name.utf8.allSatisfy({ isLetter($0) || isDigit($0) })
    else { return nil }
    self.name = name
    self.disassembler = disassembler
  }

  /// A file of its own, which compiles with `-Wall -Werror` and can be included in another.
  public func text(of program: Program) -> String {
    let rows = zip(program.instructions, disassembler.lines(of: program)).map { instruction, line in
      let fields = [
        hexadecimal(instruction.code), String(instruction.jt), String(instruction.jf),
        hexadecimal(instruction.k),
      ].joined(separator: ", ")
      return "\t{ \(fields) }, /* \(Self.comment("\(line)")) */\n"
    }
    // The attribute: a file that only includes the array need not use it.
    return """
      #include <linux/filter.h>

      static const struct sock_filter \(name)[] __attribute__((unused)) = {
      \(rows.joined())};

      """
  }

  /// Text that cannot end the comment it stands in, nor start another.
  private static func comment(_ text: String) -> String {
    var result = ""
    for character in text {
      if let last = result.last, (last == "*" && character == "/") || (last == "/" && character == "*") {
        result.append(" ")
      }
      result.append(character)
    }
    return result
  }
}
