import FilterCompiler
import Testing
import TestSupport

@Suite struct DisassemblerTests {
  private let disassembler = Disassembler(architecture: .x86_64) { number, architecture in
    number == 39 ? (architecture == .i386 ? "mkdir" : "getpid") : nil
  }

  private func lines(_ operations: [Operation]) throws -> [String] {
    let program = try Program((operations + [.answer(Action(.allow))]).map(\.instruction))
    return disassembler.lines(of: program).map(\.text)
  }

  @Test func halvesAreReadAsTheWholeTheyAre() throws {
    var map = RegionMap(default: .allow)
    try map.insert(range(0x7f12_3456_0000, 0x7f12_3457_0000), .trap)
    #expect(
      disassembler.text(of: try map.compile()) == """
        0000: A = ip.high
        0001: if (ip >> 32 != 0x7f12) goto 0006
        0002: A = ip.low
        0003: if (ip < 0x7f1234560002) goto 0006
        0004: if (ip >= 0x7f1234570001) goto 0006     ; trap inside 0x7f1234560000-0x7f1234570000
        0005: return trap
        0006: return allow

        """)
  }

  @Test func aLowerHalfBesideAnUnknownUpperOneStaysAHalf() throws {
    #expect(
      try lines([.loadData(.instructionPointerLow), .branch(.greater, .constant(16), jt: 0, jf: 0)])[1]
        == "if (ip.low > 0x10) goto 0002")
    // Known on one way only, whichever is met first.
    for (jt, jf): (UInt8, UInt8) in [(0, 1), (1, 0)] {
      let text = try lines([
        .loadData(.argumentHigh(1)), .branch(.equal, .constant(0), jt: jt, jf: jf), .loadData(.number),
        .loadData(.argumentLow(1)), .branch(.equal, .constant(2), jt: 0, jf: 0),
      ])
      #expect(text[4] == "if (arg1.low == 0x2) goto 0005")
    }
  }

  /// What libseccomp asks of numbers: whether they are of x32, and whether they are at least 0.
  @Test func markedNumbersAreNoCounts() throws {
    let program = try Program(
      [
        Operation.loadData(.architecture), .branch(.equal, .constant(AuditArchitecture.x86_64.rawValue), jt: 0, jf: 5),
        .loadData(.number), .branch(.greaterOrEqual, .constant(0x4000_0000), jt: 2, jf: 0),
        .branch(.greaterOrEqual, .constant(0), jt: 0, jf: 1), .branch(.equal, .constant(.max), jt: 0, jf: 1),
        .answer(Action(.errno, data: 1)), .answer(Action(.allow)),
      ].map(\.instruction))
    let lines = disassembler.lines(of: program)
    #expect(lines[3].text == "if (nr >= 0x40000000) goto 0006")
    #expect(lines[3].comment == "x32 calls have bit 30")
    #expect(lines[4].comment == "always goes to 0005")
    #expect(lines[5].text == "if (nr != 0xffffffff) goto 0007")
  }

  @Test func upperHalvesAreBoundsOfTheWhole() throws {
    func text(_ comparison: Operation.Comparison, _ constant: UInt32, negated: Bool = false) throws -> String {
      try lines([
        .loadData(.instructionPointerHigh),
        .branch(comparison, .constant(constant), jt: negated ? 0 : 1, jf: negated ? 1 : 0),
        .negate,
      ])[1]
    }
    #expect(try text(.greaterOrEqual, 0x7f12) == "if (ip >= 0x7f1200000000) goto 0003")
    #expect(try text(.greater, 0x7f12) == "if (ip >= 0x7f1300000000) goto 0003")
    #expect(try text(.greater, 0x7f12, negated: true) == "if (ip < 0x7f1300000000) goto 0003")
    #expect(try text(.equal, 0x7f12, negated: true) == "if (ip >> 32 != 0x7f12) goto 0003")
    #expect(try text(.greater, .max) == "if (ip.high > 0xffffffff) goto 0003")
    #expect(try text(.anyBit, 0xff00, negated: true) == "if (!(ip.high & 0xff00)) goto 0003")
  }

  @Test func numbersAreNamedAsTheArchitectureHasThem() throws {
    let text = try lines([
      .loadData(.architecture), .branch(.equal, .constant(AuditArchitecture.i386.rawValue), jt: 0, jf: 2),
      .loadData(.number), .branch(.equal, .constant(39), jt: 1, jf: 0), .loadData(.architecture),
      .branch(.equal, .constant(39), jt: 0, jf: 0), .branch(.equal, .constant(40), jt: 0, jf: 0),
    ])
    #expect(text[1] == "if (arch != i386) goto 0004")
    #expect(text[3] == "if (nr == mkdir) goto 0005")
    #expect(text[5] == "if (A == 0x27) goto 0006", "A is the number on one way and the architecture on the other")
    #expect(
      try lines([.loadData(.number), .branch(.equal, .constant(39), jt: 0, jf: 0)])[1] == "if (nr == getpid) goto 0002")
    #expect(
      try lines([.loadData(.number), .branch(.equal, .constant(40), jt: 0, jf: 0)])[1] == "if (nr == 40) goto 0002")
  }

  @Test func maskedArgumentsKeepTheirMask() throws {
    // What libseccomp emits for SCMP_CMP_MASKED_EQ.
    let text = try lines([
      .loadData(.argumentLow(2)), .compute(.and, .constant(0xff)), .branch(.equal, .constant(3), jt: 0, jf: 0),
    ])
    #expect(text == ["A = arg2.low", "A &= 0xff", "if ((arg2.low & 0xff) == 0x3) goto 0003", "return allow"])
  }

  @Test func everyOtherOperationHasItsLine() throws {
    #expect(
      try lines([
        .load(.accumulator, .constant(16)), .load(.index, .length), .store(.accumulator, 3), .load(.index, .memory(3)),
        .compute(.shiftLeft, .constant(4)), .compute(.exclusiveOr, .index), .negate, .copyToIndex, .copyToAccumulator,
        .jump(0), .branch(.greater, .index, jt: 0, jf: 0), .branch(.equal, .index, jt: 1, jf: 2), .negate, .negate,
      ]) == [
        "A = 0x10", "X = sizeof(struct seccomp_data)", "M[3] = A", "X = M[3]", "A <<= 0x4", "A ^= X", "A = -A", "X = A",
        "A = X", "goto 0010", "if (A > X) goto 0011", "if (A == X) goto 0013 else goto 0014", "A = -A", "A = -A",
        "return allow",
      ])
  }

  @Test func codeThatNoCallReachesIsMarked() throws {
    let program = try Program(
      [Operation.jump(1), .answer(Action(.trap)), .answer(Action(.allow))].map(\.instruction))
    #expect(disassembler.lines(of: program).map(\.comment) == [nil, "never reached", nil])
  }

  /// What a listing claims about addresses is what the program does with them.
  @Test func commentsTellTheTruth() throws {
    var generator = SeededGenerator(seed: 0xd15a)
    var claims = 0
    for shape in MapShape.allCases {
      let program = try RegionMap.random(shape, count: 40, dontCare: false, using: &generator).compile()
      for line in disassembler.lines(of: program) {
        guard let words = line.comment?.split(separator: " "), let text = words.last,
          let code = try? AddressRange(parsing: text)
        else { continue }
        claims += 1
        /// Where a call from an instruction at `address` goes after this line; nil where it does not get here.
        func onward(_ address: UInt64) -> (action: Action, next: Int)? {
          let (action, path) = program.evaluate(SeccompData(nr: 0, instructionPointer: address &+ 2))
          return path.firstIndex(of: line.index).map { (action, path[$0 + 1]) }
        }
        let first = try #require(onward(code.start))
        let last = try #require(onward(code.end - 2))
        #expect(first == last && "\(first.action) inside \(code)" == line.comment)
        for address in [code.start &- 1, code.end - 1] { #expect(onward(address)?.next != first.next) }
      }
    }
    #expect(claims > 50)
  }
}
