/// Writes a program as a graph in Graphviz's language, for `dot` to lay out.
///
/// A box is a decision, and the lines from it say for which outcome they are taken; rounded boxes are answers, coloured by
/// disposition, with the code whose calls get them where that is a region.
public struct DOTFormat: Sendable {
  private let disassembler: Disassembler

  /// A format that names calls as `disassembler` does.
  public init(disassembler: Disassembler = Disassembler()) { self.disassembler = disassembler }

  /// The graph, ended by a newline.
  public func text(of program: Program) -> String {
    let diagram = Diagram(program, disassembler)
    var lines: [String] = []
    var answers = 0
    func name(_ target: Diagram.Target) -> String {
      switch target {
      case .decision(let index): return "d\(index)"
      case .answer(let answer):
        answers += 1
        let words = [answer.text] + (answer.code.map { ["\($0)"] } ?? [])
        let tone = DiagramTone(answer.action)
        lines.append(
          "  a\(answers) [label=\(Self.quoted(words)), style=\"rounded,filled\", "
            + "fillcolor=\"\(tone.fill(.light))\", fontcolor=\"\(tone.text(.light))\", color=\"\(tone.line(.light))\"];"
        )
        return "a\(answers)"
      }
    }
    let root = name(diagram.root)
    // Decisions are found from the last to the first; people read them from the first.
    for (index, decision) in diagram.decisions.enumerated().reversed() {
      lines.append("  d\(index) [label=\(Self.quoted(decision.lines))];")
      for way in decision.ways {
        let target = name(way.target)
        let label = way.outcome == .always ? "" : " [label=\"\(way.outcome.rawValue)\"]"
        lines.append("  d\(index) -> \(target)\(label);")
      }
    }
    return """
      digraph filter {
        rankdir=LR;
        label=\(Self.quoted([diagram.caption]));
        node [shape=box, fontname="monospace", fontsize=11];
        edge [fontname="sans-serif", fontsize=10];
        start [shape=plaintext, label="a call"];
        start -> \(root);
      \(lines.joined(separator: "\n"))
      }

      """
  }

  /// A string of Graphviz's, one line below the other.
  private static func quoted(_ lines: [String]) -> String {
    let escaped = lines.map { line in
      line.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
    }
    return "\"\(escaped.joined(separator: "\\n"))\""
  }
}
