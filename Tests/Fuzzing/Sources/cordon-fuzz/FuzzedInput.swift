import FilterCompiler

/// Bytes that are taken from the front as the fields of an input; after the last one there are zeros.
struct FuzzedInput {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func number<Number: FixedWidthInteger>(_: Number.Type) -> Number {
    (0..<Number.bitWidth / 8).reduce(0) { number, index in number | Number(truncatingIfNeeded: byte()) << (8 * index) }
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func call() -> SeccompData {
    SeccompData(
      nr: number(UInt32.self), arch: AuditArchitecture(rawValue: number(UInt32.self)),
      instructionPointer: number(UInt64.self), args: (0..<6).map { _ in number(UInt64.self) })
  }

  /// A few regions and stages before them.
  mutating func specification() -> RegionSpecification {
    let kinds = byte()
    let architecture = Architecture.allCases[Int(kinds) % Architecture.allCases.count]
    var map = RegionMap(architecture: architecture, default: Self.disposition(byte()))
    for _ in 0..<byte() % 6 {
      let disposition = byte()
      let (start, length) = (number(UInt64.self), UInt64(number(UInt32.self)))
      guard let range = try? AddressRange(start: start, end: start &+ length) else { continue }
      if disposition == .max {
        try? map.insertDontCare(range)
      } else {
        try? map.insert(range, Self.disposition(disposition))
      }
    }
    var options = CompileOptions()
    if kinds & 0x10 != 0 { options.checkedArchitectures = [AuditArchitecture.known[Int(byte()) % 4]] }
    if kinds & 0x20 != 0 { options.allowedNumbers = (0..<byte() % 8).map { _ in UInt32(number(UInt16.self)) } }
    if kinds & 0x40 != 0 { options.globalTrapNumbers = (0..<byte() % 8).map { _ in UInt32(number(UInt16.self)) } }
    if kinds & 0x80 != 0 {
      let (start, length) = (number(UInt64.self), UInt64(number(UInt16.self)))
      options.gate = try? AddressRange(start: start, end: start &+ length)
    }
    return RegionSpecification(map, options)
  }

  private static func disposition(_ byte: UInt8) -> Disposition {
    let all: [Disposition] = [.allow, .trap, .errno(1), .killProcess, .log, .trap(data: 7), .notify, .trace(2)]
    return all[Int(byte) % all.count]
  }

  /// All that is left, as a program: as it is where the kernel would take it, and else changed until it would.
  ///
  /// - Parameter isProvable: Leaves out products and quotients. Most proofs of them are given up, after seconds in which
  ///   thousands of others could have been found.
  mutating func program(provable isProvable: Bool = false) -> Program? {
    let raw = bytes(Int.max)
    let program = (try? Program(raw: raw)) ?? (try? Program(Self.repaired(raw)))
    guard isProvable, let program else { return program }
    return try? Program(
      program.operations.map { operation in
        switch operation {
        case .compute(.multiply, _), .compute(.divide, _): FilterCompiler.Operation.negate.instruction
        default: operation.instruction
        }
      })
  }

  /// The bytes as instructions that are valid wherever they stand; only memory may be read before it is written.
  private static func repaired(_ raw: [UInt8]) -> [Instruction] {
    var input = FuzzedInput(raw)
    let count = min(raw.count / 8, Program.maximumLength - 1)
    let operations = (0..<count).map { index -> FilterCompiler.Operation in
      let code = input.number(UInt16.self)
      let (jt, jf, k) = (input.byte(), input.byte(), input.number(UInt32.self))
      // The last instruction, which returns, can be jumped to.
      let room = count - index
      let instruction = Instruction(
        code: code, jt: UInt8(Int(jt) % min(room, 256)), jf: UInt8(Int(jf) % min(room, 256)),
        k: code & 7 == 5 && code & 0xf0 == 0 ? k % UInt32(room) : k)
      if let operation = try? FilterCompiler.Operation(instruction) { return operation }
      switch code & 7 {
      case 0: return .loadData(DataWord(offset: k % 16 * 4) ?? .number)
      case 1: return .load(.index, .memory(Int(k % 16)))
      case 2: return .store(.accumulator, Int(k % 16))
      case 3: return .store(.index, Int(k % 16))
      case 4: return .compute(FilterCompiler.Operation.Arithmetic.allCases[Int(jt) % 9], .constant(k % 31 + 1))
      case 5:
        return .branch(
          FilterCompiler.Operation.Comparison.allCases[Int(jf) % 4], .constant(k), jt: instruction.jt,
          jf: instruction.jf)
      case 6: return .answer(Action(rawValue: k))
      default: return .copyToIndex
      }
    }
    return operations.map(\.instruction) + [FilterCompiler.Operation.answer(Action(.allow)).instruction]
  }
}
