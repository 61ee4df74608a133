/// Writes a program as a JSON document of the schema `cordon.filter/1`.
///
/// `instructions` has an object for each instruction: `code`, `jt`, `jf` and `k` as numbers, `text` from the
/// disassembly. Where a map is given, `architecture`, `default`, `regions` (each with `start`, `end` and `disposition`) and
/// `dont_care` (`start`, `end`) say what the program was compiled from; addresses are strings, `"0x…"`. Where there are
/// any, `stages` has what is decided besides, by the names of profiles, and `policies` an object for each: `name`,
/// `tables` (for each its `default` and its `rules`: `number`, `call` where that has a name, `when`, `then`) and
/// `other_architectures`.
public struct JSONFormat: Sendable {
  private let map: RegionMap?
  private let options: CompileOptions
  private let disassembler: Disassembler

  /// A format that says what `map` and `options` were, where the program was compiled from them.
  public init(
    map: RegionMap? = nil, options: CompileOptions = CompileOptions(), disassembler: Disassembler = Disassembler()
  ) {
    self.map = map
    self.options = options
    self.disassembler = disassembler
  }

  /// The document, ended by a newline.
  public func text(of program: Program) -> String {
    var members: [(String, JSONText)] = [("schema", .string("cordon.filter/1"))]
    if let map {
      members += Self.members(map)
      members += Self.stages(options, map)
      members += Self.policies(map, options, disassembler.name)
    }
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
