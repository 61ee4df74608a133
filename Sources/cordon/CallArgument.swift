import ArgumentParser

/// The value of one of a call's six arguments, written `I=V`; V may be negative, as file descriptors are.
struct CallArgument: ExpressibleByArgument {
  let index: Int
  let value: UInt64

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let index = Int(parts[0]), (0..<6).contains(index) else { return nil }
    guard let value = Address(argument: parts[1])?.value ?? Int64(parts[1]).map(UInt64.init(bitPattern:))
    else { return nil }
    self.index = index
    self.value = value
  }
}
