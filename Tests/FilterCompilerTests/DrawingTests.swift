import FilterCompiler
import Testing
import TestSupport

/// What a person sees of a filter: the drawings say what the program decides, whole and well-formed.
@Suite struct DrawingTests {
  private func oneRegion() throws -> Program {
    var map = RegionMap(default: .allow)
    try map.insert(range(0x7f12_3456_0000, 0x7f12_3457_0000), .trap)
    return try map.compile()
  }

  @Test func aGraphHasTheDecisionsAndTheRegion() throws {
    let text = DOTFormat().text(of: try oneRegion())
    #expect(text.hasPrefix("digraph filter {\n") && text.hasSuffix("}\n"))
    for line in [
      #"label="7 instructions, at most 3 comparisons a call";"#, #"d2 [label="ip >> 32 == 0x7f12?"];"#,
      #"d1 [label="ip >= 0x7f1234560002?"];"#, #"d0 [label="ip >= 0x7f1234570001?"];"#, "start -> d2;",
      #"d2 -> d1 [label="yes"];"#, #"d1 -> d0 [label="yes"];"#, #"d0 -> a3 [label="no"];"#,
      #"a3 [label="trap\n0x7f1234560000-0x7f1234570000","#,
    ] { #expect(text.contains(line), "\(line)\n\(text)") }
  }

  /// The drawing is read back and followed: it leads every call where the program does.
  @Test func theGraphDecidesAsTheProgramDoes() throws {
    var generator = SeededGenerator(seed: 11)
    for shape in MapShape.allCases {
      let map = RegionMap.random(shape, count: 20, dontCare: true, using: &generator)
      let options = CompileOptions(checkedArchitectures: [.x86_64, .i386], allowedNumbers: [1, 2, 60])
      let program = try map.compile(options)
      let drawn = try DrawnGraph(DOTFormat().text(of: program))
      for piece in map.pieces() {
        for (pointer, architecture, number) in [
          (piece.first, AuditArchitecture.x86_64, 5), (piece.last, .x86_64, 5), (piece.first, .i386, 60),
          (piece.last, .x86_64, 60), (piece.last, .aarch64, 5),
        ] {
          let data = SeccompData(nr: UInt32(number), arch: architecture, instructionPointer: pointer)
          #expect(try drawn.answer(data) == program.evaluate(data).action.description)
        }
      }
    }
  }

  @Test func aPictureIsWellFormedAndNeedsNothingElse() throws {
    let text = SVGFormat().text(of: try oneRegion())
    try expectWellFormed(text)
    #expect(text.contains("@media (prefers-color-scheme: dark)"))
    #expect(!text.contains("href=\"http") && !text.contains("<image") && !text.contains("<script"))
    #expect(text.contains(">trap 0x7f1234560000-0x7f1234570000</text>") && text.contains("class=\"trap\""))
    #expect(text.contains(">ip &gt;= 0x7f1234560002?</text>"))
    #expect(text.split(separator: ">yes</text>").count == 4 && text.split(separator: ">no</text>").count == 4)
  }

  @Test func boxesKeepApartAndOnThePaper() throws {
    var generator = SeededGenerator(seed: 5)
    for shape in MapShape.allCases {
      let map = RegionMap.random(shape, count: 64, dontCare: false, using: &generator)
      let text = SVGFormat().text(of: try map.compile(CompileOptions(allowedNumbers: [1, 3, 5, 7])))
      try expectWellFormed(text)
      let paper = try #require(Box(text, after: "<svg "))
      let boxes = text.split(separator: "<rect ").dropFirst(2).compactMap { Box(String($0), after: "") }
      #expect(boxes.count > 20)
      for (index, box) in boxes.enumerated() {
        #expect(box.x >= 0 && box.y >= 0 && box.right <= paper.width && box.bottom <= paper.height)
        #expect(!boxes[..<index].contains(where: box.overlaps), "\(shape)")
      }
      // What is drawn once is referred to by its number, and every reference leads somewhere.
      for reference in text.split(separator: "<a href=\"#").dropFirst() {
        let id = try #require(reference.split(separator: "\"").first)
        #expect(text.split(separator: "<g id=\"\(id)\">").count == 2)
      }
    }
  }

  @Test func namesCannotLeaveTheirPlaces() throws {
    let disassembler = Disassembler { _, _ in "a\"b\\c<d>&e\u{1}" }
    let program = try Program(
      [
        Operation.loadData(.number), .branch(.equal, .constant(1), jt: 0, jf: 1), .answer(Action(.allow)),
        .answer(Action(.killProcess)),
      ].map(\.instruction))
    #expect(DOTFormat(disassembler: disassembler).text(of: program).contains(#"nr == a\"b\\c<d>&e"#))
    let picture = SVGFormat(disassembler: disassembler).text(of: program)
    try expectWellFormed(picture)
    #expect(picture.contains("nr == a&quot;b\\c&lt;d&gt;&amp;e\u{fffd}?"))
  }

  @Test func whatIsComputedIsShown() throws {
    let program = try Program(
      [
        Operation.loadData(.argumentLow(1)), .compute(.and, .constant(0xff)),
        .branch(.equal, .constant(0x54), jt: 0, jf: 2), .load(.accumulator, .constant(0x50001)), .answerAccumulator,
        .answer(Action(.allow)),
      ].map(\.instruction))
    let text = DOTFormat().text(of: program)
    #expect(text.contains(#"[label="A = arg1.low\nA &= 0xff\n(arg1.low & 0xff) == 0x54?"];"#), "\(text)")
    #expect(text.contains(#"[label="A = 0x50001"];"#) && text.contains(#"[label="return A","#))
    try expectWellFormed(SVGFormat().text(of: program))
  }

  @Test func withoutDecisionsTheAnswerIsAllThereIs() throws {
    let program = try RegionMap(default: .allow).compile()
    #expect(DOTFormat().text(of: program).contains("start -> a1;"))
    try expectWellFormed(SVGFormat().text(of: program))
  }

  @Test func theLongestChainIsDrawn() throws {
    let tests = (0..<2047).flatMap { number -> [Operation] in
      [.branch(.equal, .constant(UInt32(number)), jt: 0, jf: 1), .answer(Action(.errno, data: UInt16(number)))]
    }
    let program = try Program(([.loadData(.number)] + tests + [.answer(Action(.allow))]).map(\.instruction))
    #expect(SVGFormat().text(of: program).contains(">errno 2046</text>"))
  }

  /// Every element that is opened is closed, in order, and nothing stands where text may not.
  private func expectWellFormed(_ text: String) throws {
    var open: [Substring] = []
    for part in text.split(separator: "<") {
      let pieces = part.split(separator: ">", maxSplits: 1, omittingEmptySubsequences: false)
      try #require(pieces.count == 2, "\(part)")
      let name = try #require(pieces[0].split(separator: " ").first)
      if name.hasPrefix("/") {
        #expect(open.popLast() == name.dropFirst())
      } else if !pieces[0].hasSuffix("/") {
        open.append(name)
      }
    }
    #expect(open.isEmpty && text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n"))
  }
}

/// A rectangle of a picture.
private struct Box {
  let (x, y, width, height): (Int, Int, Int, Int)

  init?(_ text: String, after prefix: String) {
    guard let start = prefix.isEmpty ? text.startIndex : text.firstRange(of: prefix)?.upperBound,
      let tag = text[start...].split(separator: ">").first
    else { return nil }
    func number(_ name: String) -> Int? {
      tag.firstRange(of: " \(name)=\"").flatMap { Int(tag[$0.upperBound...].prefix { $0 != "\"" }) }
    }
    guard let width = number("width"), let height = number("height") else { return nil }
    (x, y, self.width, self.height) = (number("x") ?? 0, number("y") ?? 0, width, height)
  }

  var right: Int { x + width }
  var bottom: Int { y + height }

  func overlaps(_ other: Box) -> Bool { x < other.right && other.x < right && y < other.bottom && other.y < bottom }
}

/// A graph in Graphviz's language, as far as ``DOTFormat`` writes it.
private struct DrawnGraph {
  private var labels: [String: String] = [:]
  private var ways: [String: [String: String]] = [:]

  init(_ text: String) throws {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      let label = line.firstRange(of: "label=\"").map { String(line[$0.upperBound...].prefix { $0 != "\"" }) }
      if words.count > 2, words[1] == "->" {
        ways["\(words[0])", default: [:]][label ?? ""] = "\(words[2].prefix { $0 != ";" })"
      } else if let label, let name = words.first, words.count > 1, words[1].hasPrefix("[") {
        labels["\(name)"] = label
      }
    }
  }

  /// The words at the end of the way that a call takes.
  func answer(_ data: SeccompData) throws -> String {
    var node = try #require(ways["start"]?[""])
    while let outcomes = ways[node] {
      let question = try #require(labels[node])
      node = try #require(outcomes[holds(question.dropLast(), data) ? "yes" : "no"], "\(question)")
    }
    return try #require(labels[node]?.split(separator: "\\n").first.map(String.init))
  }

  private func holds(_ question: Substring, _ data: SeccompData) -> Bool {
    let words = question.split(separator: " ")
    var value: UInt64 =
      switch words[0] {
      case "nr": UInt64(data.number)
      case "arch": UInt64(data.architecture.rawValue)
      case "ip.low": data.instructionPointer & 0xffff_ffff
      default: data.instructionPointer
      }
    if words.count == 5 { value >>= 32 }
    let text = String(words[words.count - 1])
    let constant = address(parsing: text) ?? UInt64(text) ?? UInt64(AuditArchitecture(name: text)?.rawValue ?? 0)
    return words[words.count - 2] == "==" ? value == constant : value >= constant
  }
}
