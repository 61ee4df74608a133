package import FilterCompiler

/// How minijail decides the call number (tools/compiler.py, strategy "bst"): of all search trees over the runs of allowed
/// numbers, with linear chains of runs as leaves, the one in which an allowed call meets the fewest comparisons, found by
/// dynamic programming. Every call counts once, as where its policy says nothing of frequencies.
package struct MinijailCompiler {
  /// A run of allowed numbers, half-open.
  private struct Run {
    let bounds: Range<UInt64>
    let frequency: Int
  }

  private struct Solution {
    let cost: Int
    let tree: RivalTree
  }

  private struct Key: Hashable {
    let bounds: Range<UInt64>
    let part: Range<Int>
  }

  private let runs: [Run]
  private let allow = RivalTree(.answer(Action(.allow)))
  private let refuse = RivalTree(.answer(CallSet.refusal))
  private var known: [Key: Solution] = [:]

  private init(_ set: CallSet) {
    runs = set.runs.map { run in
      Run(bounds: UInt64(run.lowerBound)..<UInt64(run.upperBound) + 1, frequency: run.count)
    }
  }

  /// The filter for a set of calls.
  package static func compile(_ set: CallSet) throws(ProgramError) -> Program {
    var compiler = MinijailCompiler(set)
    let tree = compiler.solution(0..<compiler.runs.count, within: 0..<UInt64.max).tree
    return try RivalAssembly.program(
      tree, answersFirst: [compiler.refuse, compiler.allow], trueComesFirst: false)
  }

  /// The best decision of some runs where the number is known to lie within `bounds`.
  private mutating func solution(_ part: Range<Int>, within bounds: Range<UInt64>) -> Solution {
    let key = Key(bounds: bounds, part: part)
    if let solution = known[key] { return solution }
    let solution = part.count == 1 ? single(part.lowerBound, within: bounds) : best(part, within: bounds)
    known[key] = solution
    return solution
  }

  private func single(_ index: Int, within bounds: Range<UInt64>) -> Solution {
    if runs[index].bounds == bounds { return Solution(cost: 0, tree: allow) }
    let (comparisons, tree) = test(runs[index], otherwise: refuse)
    return Solution(cost: comparisons * runs[index].frequency, tree: tree)
  }

  private mutating func best(_ part: Range<Int>, within bounds: Range<UInt64>) -> Solution {
    var best = chain(part)
    let total = part.reduce(0) { $0 + runs[$1].frequency }
    for cut in part.dropFirst() {
      // Between two runs a cut can lie at the start of the upper or at the end of the lower one.
      for bound in [runs[cut].bounds.lowerBound, runs[cut - 1].bounds.upperBound] {
        let below = solution(part.lowerBound..<cut, within: bounds.lowerBound..<bound)
        let above = solution(cut..<part.upperBound, within: bound..<bounds.upperBound)
        let cost = total + below.cost + above.cost
        if cost < best.cost {
          best = Solution(cost: cost, tree: .test(.greaterOrEqual, UInt32(bound), above.tree, below.tree))
        }
      }
    }
    return best
  }

  /// One run after the other, the most frequent one first.
  private func chain(_ part: Range<Int>) -> Solution {
    var (cost, frequency, tree) = (0, 0, refuse)
    let ordered = part.sorted { (runs[$0].frequency, $0) < (runs[$1].frequency, $1) }
    for index in ordered {
      let (comparisons, next) = test(runs[index], otherwise: tree)
      tree = next
      frequency += runs[index].frequency
      cost += frequency * comparisons
    }
    return Solution(cost: cost, tree: tree)
  }

  /// The comparisons that allow one run, and how many there are.
  private func test(_ run: Run, otherwise: RivalTree) -> (Int, RivalTree) {
    let (first, end) = (UInt32(run.bounds.lowerBound), UInt32(run.bounds.upperBound))
    if run.bounds.count == 1 { return (1, .test(.equal, first, allow, otherwise)) }
    let upper = RivalTree.test(.greaterOrEqual, end, otherwise, allow)
    return first == 0 ? (1, upper) : (2, .test(.greaterOrEqual, first, upper, otherwise))
  }
}
