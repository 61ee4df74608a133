package import FilterCompiler

/// How Chromium's bpf_dsl decides the call number (sandbox/linux/bpf_dsl/policy_compiler.cc and codegen.cc): runs of numbers
/// with one answer are put into a row, and the row is halved again and again, with one "at least" between the halves.
/// Equal nodes are one, so there are two returns.
///
/// Left out is its test for x32 calls, which none of the others has.
package enum ChromiumCompiler {
  /// The filter for a set of calls.
  package static func compile(_ set: CallSet) throws(ProgramError) -> Program {
    let (allow, refuse) = (RivalTree(.answer(Action(.allow))), RivalTree(.answer(CallSet.refusal)))
    let startsAllowed = set.runs.first?.lowerBound == 0
    var row: [(first: UInt32, answer: RivalTree)] = startsAllowed ? [] : [(0 as UInt32, refuse)]
    for run in set.runs {
      row.append((run.lowerBound, allow))
      if run.upperBound < .max { row.append((run.upperBound + 1, refuse)) }
    }
    func halved(_ part: ArraySlice<(first: UInt32, answer: RivalTree)>) -> RivalTree {
      if part.count == 1, let only = part.first { return only.answer }
      let middle = part.startIndex + part.count / 2
      let below = halved(part[..<middle])
      return .test(.greaterOrEqual, part[middle].first, halved(part[middle...]), below)
    }
    return try RivalAssembly.program(halved(row[...]), answersFirst: [], trueComesFirst: true)
  }
}
