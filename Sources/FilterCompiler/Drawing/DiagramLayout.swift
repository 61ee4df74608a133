/// Where everything of a ``Diagram`` lies on paper, in pixels from the upper left corner.
///
/// Decisions lie in columns by the number of decisions before them, and every one has a band of rows for what follows
/// from it alone, so that no line crosses another. A decision to which several ways lead is drawn where the shortest
/// of them ends, and has a number; the others end in a reference to it.
struct DiagramLayout {
  /// A thing with a place.
  struct Item {
    let content: Content
    var x: Int
    /// The middle.
    var y: Int
    let width: Int
    let height: Int
  }

  enum Content {
    /// A decision and its number, where it has one.
    case decision(Int, number: Int?)
    case answer(Diagram.Answer)
    /// What is drawn elsewhere: the decision and its number.
    case reference(Int, number: Int)
  }

  /// A line from one item to another, by their indices.
  struct Line {
    let from: Int
    let to: Int
    let outcome: Diagram.Outcome
  }

  private static let margin = 24
  /// The width of a character of the text, which all have the same.
  static let characterWidth = 8
  static let lineHeight = 17
  private static let padding = 10
  private static let rowGap = 9
  /// The space between two columns, for the words on the lines.
  static let columnGap = 60
  /// The space above the drawing, for the caption.
  private static let head = 34

  private(set) var items: [Item] = []
  private(set) var lines: [Line] = []
  private(set) var width = 0
  private(set) var height = 0
  private let diagram: Diagram
  /// The number of a decision to which several ways lead.
  private var numbers: [Int?]
  private var depths: [Int] = []
  /// For each decision, its items below it.
  private var children: [Int: [Int]] = [:]

  init(_ diagram: Diagram) {
    self.diagram = diagram
    numbers = Array(repeating: nil, count: diagram.decisions.count)
    placeInColumns()
    placeInRows()
    width = max(
      (items.map { $0.x + $0.width }.max() ?? 0) + Self.margin,
      Self.margin * 2 + diagram.caption.count * Self.characterWidth)
  }

  /// Makes the items, breadth first, and says in which columns they are.
  private mutating func placeInColumns() {
    let waysIn = diagram.waysIn
    var seen = Array(repeating: false, count: diagram.decisions.count)
    var numbered = 0
    add(diagram.root, depth: 0, &seen)
    var next = 0
    while next < items.count {
      if case .decision(let index, _) = items[next].content {
        for way in diagram.decisions[index].ways {
          if case .decision(let target) = way.target, numbers[target] == nil, waysIn[target] > 1 {
            numbered += 1
            numbers[target] = numbered
          }
          lines.append(Line(from: next, to: items.count, outcome: way.outcome))
          children[next, default: []].append(items.count)
          add(way.target, depth: depths[next] + 1, &seen)
        }
      }
      next += 1
    }
    var widths: [Int] = []
    for (item, depth) in zip(items, depths) {
      if depth == widths.count { widths.append(0) }
      widths[depth] = max(widths[depth], item.width)
    }
    var columns = [Self.margin]
    for width in widths { columns.append(columns[columns.count - 1] + width + Self.columnGap) }
    for index in items.indices { items[index].x = columns[depths[index]] }
  }

  private mutating func add(_ target: Diagram.Target, depth: Int, _ seen: inout [Bool]) {
    let (content, text): (Content, [String])
    switch target {
    case .decision(let index):
      if seen[index], let number = numbers[index] {
        (content, text) = (.reference(index, number: number), [Self.referenceText(number)])
      } else {
        seen[index] = true
        (content, text) = (.decision(index, number: numbers[index]), diagram.decisions[index].lines)
      }
    case .answer(let answer):
      (content, text) = (.answer(answer), [Self.text(answer)])
    }
    let longest = text.map(\.count).max() ?? 0
    items.append(
      Item(
        content: content, x: 0, y: 0, width: longest * Self.characterWidth + 2 * Self.padding,
        height: text.count * Self.lineHeight + 7))
    depths.append(depth)
  }

  /// What stands in an answer's box.
  static func text(_ answer: Diagram.Answer) -> String {
    answer.code.map { "\(answer.text) \($0)" } ?? answer.text
  }

  /// What stands in a reference's box.
  static func referenceText(_ number: Int) -> String { "go to #\(number)" }

  /// Gives each item its rows: those at the ends of ways one below the other, the others in the middle of theirs.
  ///
  /// Without recursion, since a chain can be thousands of decisions long.
  private mutating func placeInRows() {
    var bottom = Self.head + Self.margin
    // An item is met twice: before its children, with where it starts, and after them.
    var stack: [(item: Int, top: Int?)] = [(0, nil)]
    while let (index, top) = stack.popLast() {
      let below = children[index] ?? []
      if let top {
        let middles = below.map { items[$0].y }
        items[index].y = ((middles.first ?? top) + (middles.last ?? top)) / 2
        // A box higher than what follows from it pushes that down.
        let pushed = max(0, top - (items[index].y - items[index].height / 2))
        if pushed > 0 { shift(index, by: pushed) }
        bottom = max(bottom + pushed, items[index].y + items[index].height / 2 + Self.rowGap)
      } else if below.isEmpty {
        items[index].y = bottom + items[index].height / 2
        bottom += items[index].height + Self.rowGap
      } else {
        stack.append((index, bottom + numberSpace(index)))
        bottom += numberSpace(index)
        stack += below.reversed().map { ($0, nil) }
      }
    }
    height = bottom + Self.margin - Self.rowGap
  }

  /// The space above a box for its number.
  private func numberSpace(_ index: Int) -> Int {
    if case .decision(_, .some) = items[index].content { 14 } else { 0 }
  }

  /// Moves an item down, with all that follows from it.
  private mutating func shift(_ index: Int, by distance: Int) {
    var stack = [index]
    while let index = stack.popLast() {
      items[index].y += distance
      stack += children[index] ?? []
    }
  }
}
