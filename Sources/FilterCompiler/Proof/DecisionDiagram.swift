/// Functions of the 512 bits of a call, kept so that equal functions are one: reduced, ordered binary decision diagrams
/// (Bryant 1986) whose answers are truth values or actions.
///
/// A node asks for one bit, and every way through a diagram asks in the same order, each bit at most once. Nodes never
/// change and equal ones are one node, so two functions agree on **every** call exactly where they are the same node.
package struct DecisionDiagram {
  /// A function's identity: two functions are equal exactly where their identities are.
  package struct Function: Hashable, Sendable {
    fileprivate let index: UInt32

    package static let never = Function(index: 0)
    package static let always = Function(index: 1)
  }

  /// What a function without questions is.
  enum Answer: Hashable {
    case truth(Bool)
    case action(Action)
    /// Nobody cares.
    case anything
  }

  private struct Node: Equatable {
    /// The place of its bit in the order, or ``answerLevel``.
    let level: UInt32
    /// Where the bit is 0; for an answer, its bits.
    let low: UInt32
    /// Where the bit is 1; for an answer, which kind it is.
    let high: UInt32

    var hash: Int {
      var mixed = UInt64(low) << 32 | UInt64(high)
      mixed = (mixed ^ UInt64(level) &* 0x9e37_79b9_7f4a_7c15) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ mixed >> 29) &* 0x94d0_49bb_1331_11eb
      return Int(truncatingIfNeeded: mixed >> 20)
    }
  }

  /// How two functions with answers become one.
  private enum Combination: UInt32 {
    case strictest, completed
  }

  /// A step that was done before, and what came out. The last one of those that share a place is remembered.
  private struct Remembered {
    var first: UInt32 = .max
    var second: UInt32 = .max
    var third: UInt32 = .max
    var result: UInt32 = 0
  }

  /// With the tables under 40 bytes each, so 80 MB; a filter of 2,000 instructions about one region each needs a tenth.
  private static let mostNodes = 2 << 20
  /// A second or two.
  private static let mostSteps = 16_000_000
  static let answerLevel = UInt32.max
  private static let free = UInt32.max
  /// In the place of a third function, for steps that have two.
  private static let combinations = UInt32.max - 8

  let order: WordOrder
  private var nodes: [Node] = []
  /// Where each node is, by its hash; linear probing.
  private var places = [UInt32](repeating: free, count: 1 << 12)
  private var remembered = [Remembered](repeating: Remembered(), count: 1 << 12)
  private var steps = 0

  /// No functions but the two truth values.
  init(order: WordOrder) {
    self.order = order
    nodes = [
      Node(level: Self.answerLevel, low: 0, high: 0), Node(level: Self.answerLevel, low: 1, high: 0),
    ]
    for index in nodes.indices { places[place(of: nodes[index])] = UInt32(index) }
  }

  // MARK: Making functions

  /// The function that answers `action` to every call.
  package mutating func answer(_ action: Action) throws(ProofError.Reason) -> Function {
    try identity(Node(level: Self.answerLevel, low: action.rawValue, high: 1))
  }

  /// The function that nobody cares about.
  package mutating func anything() throws(ProofError.Reason) -> Function {
    try identity(Node(level: Self.answerLevel, low: 0, high: 2))
  }

  /// Whether bit `bit`, 0...31, of `word` is 1.
  mutating func bit(_ bit: Int, of word: DataWord) throws(ProofError.Reason) -> Function {
    try identity(Node(level: order.level(of: word, bit: bit), low: 0, high: 1))
  }

  /// The function that is `first` where `test` holds and `second` elsewhere.
  package mutating func choose(_ test: Function, _ first: Function, _ second: Function) throws(ProofError.Reason)
    -> Function
  {
    if test == .always || first == second { return first }
    if test == .never { return second }
    if first == .always, second == .never { return test }
    let key = (test.index, first.index, second.index)
    if let known = recall(key) { return known }
    let level = min(level(test), level(first), level(second))
    let low = try choose(half(test, level, false), half(first, level, false), half(second, level, false))
    let high = try choose(half(test, level, true), half(first, level, true), half(second, level, true))
    return try remember(key, node(level, low, high))
  }

  /// What results from the answers of a newer filter (or of several) and an older one: the newer one's, unless the older
  /// one's is stricter.
  mutating func strictest(newer: Function, older: Function) throws(ProofError.Reason) -> Function {
    try combined(.strictest, newer, older)
  }

  /// `specification`, with the answers of `function` where nobody cares.
  mutating func completed(_ specification: Function, by function: Function) throws(ProofError.Reason) -> Function {
    try combined(.completed, specification, function)
  }

  private mutating func combined(
    _ combination: Combination, _ first: Function, _ second: Function
  ) throws(ProofError.Reason) -> Function {
    if first == second { return first }
    if let one = answer(of: first) {
      if combination == .completed { return one == .anything ? second : first }
      if case .action(let newer) = one, case .action(let older)? = answer(of: second) {
        return older.isStricter(than: newer) ? second : first
      }
    }
    let key = (first.index, second.index, Self.combinations + combination.rawValue)
    if let known = recall(key) { return known }
    let level = min(level(first), level(second))
    let low = try combined(combination, half(first, level, false), half(second, level, false))
    let high = try combined(combination, half(first, level, true), half(second, level, true))
    return try remember(key, node(level, low, high))
  }

  // MARK: Looking at functions

  /// The answer of a function that asks nothing; nil for any other.
  func answer(of function: Function) -> Answer? {
    let node = nodes[Int(function.index)]
    guard node.level == Self.answerLevel else { return nil }
    return switch node.high {
    case 0: .truth(node.low == 1)
    case 1: .action(Action(rawValue: node.low))
    default: .anything
    }
  }

  /// The answer of `function` to a call.
  func answer(of function: Function, to data: SeccompData) -> Answer {
    var function = function
    while true {
      if let answer = answer(of: function) { return answer }
      let level = level(function)
      function = half(function, level, order.isSet(level, in: data))
    }
  }

  /// A call to which two functions that differ answer differently; as like `preferred` as can be had, bit for bit in the
  /// order of the questions.
  func call(telling first: Function, from second: Function, like preferred: SeccompData) -> SeccompData {
    precondition(first != second, "equal functions cannot be told apart")
    var (first, second) = (first, second)
    var data = preferred
    while true {
      let level = min(level(first), level(second))
      guard level != Self.answerLevel else { return data }
      var bit = order.isSet(level, in: preferred)
      // Functions that differ do so where the bit is 0 or where it is 1.
      if half(first, level, bit) == half(second, level, bit) { bit.toggle() }
      order.set(level, to: bit, in: &data)
      (first, second) = (half(first, level, bit), half(second, level, bit))
    }
  }

  // MARK: Nodes

  /// The place, in the order of the questions, of the first one that the function asks; ``answerLevel`` where it asks none.
  func level(_ function: Function) -> UInt32 { nodes[Int(function.index)].level }

  /// The function where the bit at `level`, which no question of it comes before, has a value.
  func half(_ function: Function, _ level: UInt32, _ bit: Bool) -> Function {
    let node = nodes[Int(function.index)]
    guard node.level == level else { return function }
    return Function(index: bit ? node.high : node.low)
  }

  private mutating func node(_ level: UInt32, _ low: Function, _ high: Function) throws(ProofError.Reason) -> Function {
    if low == high { return low }
    return try identity(Node(level: level, low: low.index, high: high.index))
  }

  private mutating func identity(_ node: Node) throws(ProofError.Reason) -> Function {
    let place = place(of: node)
    if places[place] != Self.free { return Function(index: places[place]) }
    guard nodes.count < Self.mostNodes else { throw .tooLarge }
    let function = Function(index: UInt32(nodes.count))
    nodes.append(node)
    places[place] = function.index
    if nodes.count * 2 > places.count { grow() }
    return function
  }

  /// Where a node is, or would be.
  private func place(of node: Node) -> Int {
    var place = node.hash & (places.count - 1)
    while places[place] != Self.free, nodes[Int(places[place])] != node { place = (place + 1) & (places.count - 1) }
    return place
  }

  private mutating func grow() {
    places = [UInt32](repeating: Self.free, count: places.count * 2)
    for index in nodes.indices { places[place(of: nodes[index])] = UInt32(index) }
    remembered = [Remembered](repeating: Remembered(), count: min(places.count, 1 << 20))
  }

  private func slot(_ key: (UInt32, UInt32, UInt32)) -> Int {
    Node(level: key.0, low: key.1, high: key.2).hash & (remembered.count - 1)
  }

  private func recall(_ key: (UInt32, UInt32, UInt32)) -> Function? {
    let entry = remembered[slot(key)]
    guard entry.first == key.0, entry.second == key.1, entry.third == key.2 else { return nil }
    return Function(index: entry.result)
  }

  private mutating func remember(_ key: (UInt32, UInt32, UInt32), _ result: Function) throws(ProofError.Reason)
    -> Function
  {
    steps += 1
    guard steps < Self.mostSteps else { throw .tooLarge }
    remembered[slot(key)] = Remembered(first: key.0, second: key.1, third: key.2, result: result.index)
    return result
  }
}
