import FilterCompiler
import Foundation
import SyscallPolicy

/// Inputs to start from, made of profiles: the profiles themselves, the filters that they become, and what is asked about
/// those; and dictionaries of the words that they are made of.
struct Seeds {
  let profiles: [String]

  /// Writes `FOLDER/FAMILY/N` and `FOLDER/FAMILY.dict`; whether that was possible.
  func write(to folder: String) -> Bool {
    do {
      var texts = [Self.policies]
      for path in profiles { texts.append(try String(contentsOfFile: path, encoding: .utf8)) }
      let programs = try texts.map(Self.program)
      for family in Family.allCases {
        let place = URL(filePath: folder).appending(path: family.rawValue)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let inputs = family == .compile ? texts.map { Array($0.utf8) } : programs.map { Self.input($0, family) }
        for (number, input) in inputs.enumerated() {
          try Data(input).write(to: place.appending(path: "\(number)"))
        }
        let words = family == .compile ? Self.words(texts) : Self.opcodes(programs)
        try Data(words.utf8).write(to: URL(filePath: folder).appending(path: "\(family.rawValue).dict"))
      }
      return true
    } catch {
      FileHandle.standardError.write(Data("cordon-fuzz: seeds: \(error)\n".utf8))
      return false
    }
  }

  private static func program(_ text: String) throws -> Program {
    let profile = try Profile(yaml: text, file: "seed")
    var next: UInt64 = 0x7f00_0000_0000
    let map = try profile.regionMap { _ throws(CodeNameError) in
      next += 0x1_0000_0000
      guard let range = try? AddressRange(start: next, end: next + 0x2000) else { return [] }
      return [range]
    }
    return try map.compile(profile.options)
  }

  /// The fields before the program are the first that ``Family/feed(_:)`` takes.
  private static func input(_ program: Program, _ family: Family) -> [UInt8] {
    let raw = program.encoded()
    switch family {
    case .check:
      let call: [UInt8] = [39, 0, 0, 0, 0x3e, 0, 0, 0xc0] + [UInt8](repeating: 0x10, count: 56)
      return call + raw
    case .prove: return [0, 0, 1, 1] + [0, 0x10, 0x40, 0, 0, 0, 0, 0] + [0, 0x10, 0, 0] + raw
    case .diff: return [UInt8(min(program.instructions.count, 255))] + raw + raw
    case .show, .cost, .compile: return raw
    }
  }

  /// What policies can say that no profile that ships does.
  private static let policies = """
    schema: cordon.profile/1
    architecture: x86_64
    default: policy outer
    policies:
      outer:
        default: errno EPERM
        other-architectures: kill
        calls:
          - {call: ioctl, when: [arg1 == 0x5401, arg0 <= 2], then: allow}
          - {call: [mmap, mprotect], when: arg2 & 0x4 == 0x4, then: trap 7}
          - {call: lseek, when: [arg1 > 0xffffffff, arg2 != 1], then: errno 95}
          - {call: lseek, when: arg2 >= 3, then: log}
          - {call: write, when: arg2 in 0x10...0x1ffffffff, then: allow}
          - {call: 39, then: trace 5}
        architectures:
          i386: {default: kill-thread, calls: [{call: socketcall, when: arg0 < 3, then: allow}]}
          x32: {calls: [{call: read, then: notify}]}
      inner:
        default: allow
        architectures: [x86_64, x32]
        calls: [{call: socket, when: "arg0 & 0xff == 0x10", then: errno EACCES}]
    regions:
      - {code: 0x7f0000000000-0x7f0000002000, disposition: policy inner}
      - code: plugin.so
        disposition: {default: allow, calls: [{call: execve, then: trap}]}

    """

  /// The words of profiles, and some that are in none of them.
  private static func words(_ texts: [String]) -> String {
    var words: Set<String> = [
      "errno ", "kill-thread", "notify", "trace 1", "gate: ", "trapped-calls: ", "allowed-calls: ", "writable: true",
      "optional: true", "aarch64", "riscv64", "i386", "0xffffffffffffffff", "{", "}", "[", "]", "- ", "\\x0a  ", "#",
    ]
    for text in texts {
      for line in text.split(separator: "\n") where !line.hasPrefix("#") {
        words.formUnion(line.split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "_" }.map(String.init))
      }
    }
    return words.sorted().map { "\"\($0)\"\n" }.joined()
  }

  /// The opcodes and constants of programs, as bytes.
  private static func opcodes(_ programs: [Program]) -> String {
    var words: Set<String> = []
    func add(_ bytes: [UInt8]) {
      words.insert(bytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }
    for instruction in programs.flatMap(\.instructions) {
      add([0, 8].map { UInt8(truncatingIfNeeded: instruction.code >> $0) })
      add([0, 8, 16, 24].map { UInt8(truncatingIfNeeded: instruction.k >> $0) })
    }
    // What the compiler has no use for: arithmetic, memory, the index register.
    for code: UInt8 in [0x04, 0x0c, 0x14, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x54, 0x5c, 0x64, 0x74, 0x84, 0xa4, 0xac] {
      add([code, 0])
    }
    for code: UInt8 in [0x00, 0x01, 0x02, 0x03, 0x07, 0x16, 0x60, 0x61, 0x80, 0x81, 0x87, 0x1d, 0x2d, 0x3d, 0x4d] {
      add([code, 0])
    }
    return words.sorted().map { "\"\($0)\"\n" }.joined()
  }
}
