extension Program {
  /// The most comparisons on any way through the program.
  public var conditionalsOnLongestPath: Int {
    var longest = [Int](repeating: 0, count: instructions.count)
    for (index, operation) in operations.enumerated().reversed() {
      let onward = operation.distances.map { longest[index + 1 + Int($0)] }.max() ?? 0
      if case .branch = operation { longest[index] = 1 + onward } else { longest[index] = onward }
    }
    return longest[0]
  }
}
