/// Reads decisions by words out of a decision diagram, which has them by bits.
///
/// A word is decided either by the intervals of its values that are decided alike, or by its bits, whichever takes fewer
/// tests: the first undoes what prefixes of a range are split into, the second is for masks.
struct DecisionReader {
  typealias Function = DecisionDiagram.Function

  /// A run of values of a word, up to the next one or to the end.
  private struct Segment {
    let first: UInt32
    let function: Function
  }

  /// More intervals than a word that is compared with numbers has.
  private static let mostIntervals = 512

  private let diagram: DecisionDiagram
  private var known: [Function: DecisionGraph.NodeID] = [:]

  init(_ diagram: DecisionDiagram) { self.diagram = diagram }

  /// The runs of values of a word that the function may ask for first; nil where they are more than `limit`.
  private func segments(of function: Function, by word: DataWord, atMost limit: Int) -> [Segment]? {
    var segments: [Segment] = []
    // What is yet to be looked at: the lowest value, its bits that are open, and the function there.
    var open: [(first: UInt32, bits: Int, function: Function)] = [(0, 32, function)]
    while let (first, bits, function) = open.popLast() {
      guard bits > 0, asks(function, word) else {
        if segments.last?.function != function {
          guard segments.count < limit else { return nil }
          segments.append(Segment(first: first, function: function))
        }
        continue
      }
      let level = diagram.order.level(of: word, bit: bits - 1)
      open.append((first | 1 << UInt32(bits - 1), bits - 1, diagram.half(function, level, true)))
      open.append((first, bits - 1, diagram.half(function, level, false)))
    }
    return segments
  }

  /// The node, new in `graph`, that decides as the function does.
  mutating func node(_ function: Function, in graph: inout DecisionGraph) -> DecisionGraph.NodeID {
    if let known = known[function] { return known }
    let node: DecisionGraph.NodeID
    switch diagram.answer(of: function) {
    case .action(let action)?: node = graph.answer(action)
    // No verdict on a call is one of these, so what is made of it is of no account.
    case .truth?, .anything?: node = graph.answer(Action(.killProcess))
    case nil:
      let word = diagram.order.bit(at: diagram.level(function)).word
      var asked: Set<Function> = []
      countTests(function, word, &asked)
      let intervals = segments(of: function, by: word, atMost: Self.mostIntervals)
      if let intervals, Self.tests(intervals) <= asked.count {
        var parts: [IntervalTree.Segment] = []
        for interval in intervals {
          parts.append(IntervalTree.Segment(first: interval.first, node: self.node(interval.function, in: &graph)))
        }
        node = IntervalTree.build(parts, of: word, in: &graph)
      } else {
        node = bits(function, word, in: &graph)
      }
    }
    known[function] = node
    return node
  }

  /// How many tests decide between intervals: one for each bound, where a single value between equals takes one for two.
  private static func tests(_ intervals: [Segment]) -> Int {
    var tests = intervals.count - 1
    var index = 0
    while index + 2 < intervals.count {
      let isIsland =
        intervals[index].function == intervals[index + 2].function
        && intervals[index + 1].first == intervals[index + 2].first - 1
      if isIsland { tests -= 1 }
      index += isIsland ? 2 : 1
    }
    return tests
  }

  // MARK: Bits

  /// A test of one or more bits of a word, any of which leads to `found`.
  private struct BitTest {
    var mask: UInt32
    let found: Function
    var none: Function
  }

  private func bitTest(_ function: Function, _ word: DataWord) -> BitTest {
    func halves(_ function: Function) -> (bit: UInt32, low: Function, high: Function) {
      let level = diagram.level(function)
      return (
        1 << UInt32(diagram.order.bit(at: level).bit), diagram.half(function, level, false),
        diagram.half(function, level, true)
      )
    }
    let (bit, low, high) = halves(function)
    var test = BitTest(mask: bit, found: high, none: low)
    while asks(test.none, word) {
      let next = halves(test.none)
      guard next.high == high else { break }
      test.mask |= next.bit
      test.none = next.low
    }
    return test
  }

  private func countTests(_ function: Function, _ word: DataWord, _ asked: inout Set<Function>) {
    guard asks(function, word), asked.insert(function).inserted else { return }
    let test = bitTest(function, word)
    countTests(test.found, word, &asked)
    countTests(test.none, word, &asked)
  }

  private mutating func bits(
    _ function: Function, _ word: DataWord, in graph: inout DecisionGraph
  ) -> DecisionGraph.NodeID {
    guard asks(function, word) else { return node(function, in: &graph) }
    if let known = known[function] { return known }
    let test = bitTest(function, word)
    let found = bits(test.found, word, in: &graph)
    let none = bits(test.none, word, in: &graph)
    let node = graph.branch(
      DecisionGraph.Test(word: word, comparison: .anyBit, constant: test.mask), ifTrue: found, ifFalse: none)
    known[function] = node
    return node
  }

  /// Whether the first question of the function is for the word.
  private func asks(_ function: Function, _ word: DataWord) -> Bool {
    let level = diagram.level(function)
    return level != DecisionDiagram.answerLevel && diagram.order.bit(at: level).word == word
  }
}

extension DecisionDiagram {
  /// The function where a word, which no question of it comes before, has a value.
  func half(_ function: Function, of word: DataWord, equal value: UInt32) -> Function {
    var result = function
    for bit in (0..<32).reversed() { result = half(result, order.level(of: word, bit: bit), value >> bit & 1 == 1) }
    return result
  }
}
