import FilterCompiler

extension DispatchPlan {
  /// The instruction pointers whose calls come to the handler.
  package var dispatched: IntervalSet {
    guard length > 0 else { return IntervalSet() }
    let range = IntervalSet([IntervalSet.Interval(offset, offset + (length - 1))])
    return isInclusive ? range : IntervalSet.everything.subtracting(range)
  }
}
