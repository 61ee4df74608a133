extension Policy.Table {
  /// Refuses rules that decide nothing; exactly, by reasoning about all values of the arguments.
  func check(as table: CallTable) throws(PolicyError) {
    for (number, indices) in rulesByNumber {
      guard table.numbers.contains(number) else {
        throw PolicyError(Policy.RuleIndex(table, indices[0]), .numberOutsideTable(number))
      }
      // A rule without conditions that stands alone always decides.
      if indices.count == 1, rules[indices[0]].conditions.count < 2 { continue }
      var diagram = DecisionDiagram(order: WordOrder([]))
      var matched = DecisionDiagram.Function.never
      var functions: [DecisionDiagram.Function] = []
      for index in indices {
        do throws(PolicyError.Reason) {
          try check(index, among: indices, &functions, &matched, in: &diagram)
        } catch {
          throw PolicyError(Policy.RuleIndex(table, index), error)
        }
      }
    }
  }

  private func check(
    _ index: Int, among indices: [Int], _ functions: inout [DecisionDiagram.Function],
    _ matched: inout DecisionDiagram.Function, in diagram: inout DecisionDiagram
  ) throws(PolicyError.Reason) {
    let (function, isNew): (DecisionDiagram.Function, Bool)
    do {
      function = try rules[index].matches(in: &diagram)
      isNew = try diagram.choose(matched, .never, function) != .never
      matched = try diagram.choose(matched, .always, function)
    } catch {
      throw .tooEntangled
    }
    if function == .never { throw .neverMatches }
    if !isNew {
      guard let equal = functions.firstIndex(of: function) else { throw .unreachable }
      let earlier = indices[equal]
      throw rules[earlier].answer == rules[index].answer ? .repeats(earlier) : .contradicts(earlier)
    }
    functions.append(function)
  }

  /// The numbers that there are rules for, ascending, with the places of their rules in order.
  var rulesByNumber: [(number: UInt32, indices: [Int])] {
    Dictionary(grouping: rules.indices) { rules[$0].number }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
