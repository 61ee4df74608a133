import ArgumentParser

/// A process, by its positive number.
struct ProcessNumber: ExpressibleByArgument {
  let value: Int32

  init?(argument: String) {
    guard let value = Int32(argument), value > 0 else { return nil }
    self.value = value
  }
}
