/// Writes a program as a JSON document of the schema `cordon.filter/1`.
///
/// `instructions` has an object for each instruction: `code`, `jt`, `jf` and `k` as numbers, `text` from the
/// disassembly. Where a map is given, `architecture`, `default`, `regions` (each with `start`, `end` and `disposition`) and
/// `dont_care` (`start`, `end`) say what the program was compiled from; addresses are strings, `"0x…"`.
public struct JSONFormat: Sendable {
  private let map: RegionMap?
  private let disassembler: Disassembler

  /// A format that says what `map` was, where the program was compiled from one.
  public init(map: RegionMap? = nil, disassembler: Disassembler = Disassembler()) {
    self.map = map
    self.disassembler = disassembler
  }

  /// The document, ended by a newline.
  public func text(of program: Program) -> String {
    var members: [(String, JSONText)] = [("schema", .string("cordon.filter/1"))]
    if let map { members += Self.members(map) }
    let instructions = zip(program.instructions, disassembler.lines(of: program)).map { instruction, line in
      var members: [(String, JSONText)] = [
        ("code", .number(instruction.code)), ("jt", .number(instruction.jt)), ("jf", .number(instruction.jf)),
        ("k", .number(instruction.k)), ("text", .string(line.text)),
      ]
      if let comment = line.comment { members.append(("comment", .string(comment))) }
      return JSONText.object(members)
    }
    members.append(("instructions", .rows(instructions)))
    return JSONText.document(members).text + "\n"
  }

  private static func members(_ map: RegionMap) -> [(String, JSONText)] {
    func bounds(_ range: AddressRange) -> [(String, JSONText)] {
      [("start", .string(hexadecimal(range.start))), ("end", .string(hexadecimal(range.end)))]
    }
    return [
      ("architecture", .string(map.architecture.rawValue)),
      ("default", .string(map.defaultDisposition.description)),
      (
        "regions",
        .rows(
          map.regions.map {
            .object(bounds($0.range) + [("disposition", .string($0.disposition.description))])
          })
      ),
      ("dont_care", .rows(map.dontCare.map { .object(bounds($0)) })),
    ]
  }
}
