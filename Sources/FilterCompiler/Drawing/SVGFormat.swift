/// Writes a program as a picture for a browser: decisions from left to right, and answers coloured by disposition.
///
/// The picture is one file that needs no other, and follows the reader's choice of a light or a dark screen. Where an
/// answer is for a region, the region is written beside it. References to a decision that is drawn elsewhere are links.
public struct SVGFormat: Sendable {
  private let disassembler: Disassembler

  /// A format that names calls as `disassembler` does.
  public init(disassembler: Disassembler = Disassembler()) { self.disassembler = disassembler }

  /// The document, ended by a newline.
  public func text(of program: Program) -> String {
    let diagram = Diagram(program, disassembler)
    let layout = DiagramLayout(diagram)
    let lines = layout.lines.map { Self.line($0, layout) }
    let items = layout.items.map { Self.item($0, diagram) }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="cordon-filter" \
      viewBox="0 0 \(layout.width) \(layout.height)" width="\(layout.width)" height="\(layout.height)" role="img">
      <title>Decisions of a seccomp filter</title>
      <desc>\(XMLText.escaped(diagram.caption))</desc>
      <style>
      \(Self.style)
      </style>
      <rect class="paper" width="100%" height="100%"/>
      <text class="caption" x="24" y="30">\(XMLText.escaped(diagram.caption))</text>
      \((lines + items).joined(separator: "\n"))
      </svg>

      """
  }

  /// A line from the right side of one box to the left side of another: along the row of the first, down or up in the
  /// space between the columns, and along the row of the second, with an arrow and the outcome above it.
  private static func line(_ line: DiagramLayout.Line, _ layout: DiagramLayout) -> String {
    let (from, to) = (layout.items[line.from], layout.items[line.to])
    let bend = to.x - DiagramLayout.columnGap + 16
    let path = "M\(from.x + from.width) \(from.y)H\(bend)V\(to.y)H\(to.x - 1)"
    let tip = "M\(to.x - 7) \(to.y - 4)L\(to.x - 1) \(to.y)L\(to.x - 7) \(to.y + 4)"
    let word =
      line.outcome == .always
      ? "" : "<text class=\"word\" x=\"\(bend + 8)\" y=\"\(to.y - 4)\">\(line.outcome.rawValue)</text>"
    return "<path class=\"way\" d=\"\(path)\"/><path class=\"way\" d=\"\(tip)\"/>\(word)"
  }

  private static func item(_ item: DiagramLayout.Item, _ diagram: Diagram) -> String {
    switch item.content {
    case .decision(let index, let number):
      let mark =
        number.map { "<text class=\"number\" x=\"\(item.x + 2)\" y=\"\(item.y - item.height / 2 - 4)\">#\($0)</text>" }
      let id = number.map { " id=\"decision-\($0)\"" } ?? ""
      return "<g\(id)>\(box(item, "decision", radius: 3, diagram.decisions[index].lines))\(mark ?? "")</g>"
    case .answer(let answer):
      return box(item, DiagramTone(answer.action).rawValue, radius: item.height / 2, [DiagramLayout.text(answer)])
    case .reference(_, let number):
      let text = DiagramLayout.referenceText(number)
      return "<a href=\"#decision-\(number)\">\(box(item, "reference", radius: 3, [text]))</a>"
    }
  }

  private static func box(_ item: DiagramLayout.Item, _ style: String, radius: Int, _ lines: [String]) -> String {
    let top = item.y - item.height / 2
    let rectangle =
      "<rect class=\"\(style)\" x=\"\(item.x)\" y=\"\(top)\" width=\"\(item.width)\" height=\"\(item.height)\""
      + " rx=\"\(radius)\"/>"
    let texts = lines.enumerated().map { index, line in
      let baseline = top + DiagramLayout.lineHeight * (index + 1) - 1
      return
        "<text class=\"\(style)-text\" x=\"\(item.x + item.width / 2)\" y=\"\(baseline)\">\(XMLText.escaped(line))</text>"
    }
    return rectangle + texts.joined()
  }

  private static let style = """
    .cordon-filter text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; text-anchor: middle; }
    .cordon-filter .caption { font: 14px system-ui, sans-serif; text-anchor: start; }
    .cordon-filter .word, .cordon-filter .number { font: 11px system-ui, sans-serif; text-anchor: start; }
    .cordon-filter .number { font-weight: bold; }
    .cordon-filter .way { fill: none; stroke-width: 1.2; stroke-linejoin: round; }
    .cordon-filter .reference { stroke-dasharray: 4 3; }
    .cordon-filter :target .decision { stroke-width: 3; }
    \(colours(.light, paper: "#ffffff", ink: "#1c2430", line: "#8a94a3", box: "#f3f5f8"))
    @media (prefers-color-scheme: dark) {
    \(colours(.dark, paper: "#14181f", ink: "#e4e8ef", line: "#717c8d", box: "#232a35"))
    }
    """

  private static func colours(
    _ scheme: DiagramTone.Scheme, paper: String, ink: String, line: String, box: String
  ) -> String {
    let tones = DiagramTone.allCases.map { tone in
      ".cordon-filter .\(tone) { fill: \(tone.fill(scheme)); stroke: \(tone.line(scheme)); }\n"
        + ".cordon-filter .\(tone)-text { fill: \(tone.text(scheme)); }"
    }
    return """
      .cordon-filter .paper { fill: \(paper); }
      .cordon-filter text { fill: \(ink); }
      .cordon-filter .way { stroke: \(line); }
      .cordon-filter .decision, .cordon-filter .reference { fill: \(box); stroke: \(line); }
      \(tones.joined(separator: "\n"))
      """
  }
}
