import ArgumentParser
import FilterCompiler

/// An address or another 64-bit value: hexadecimal with `0x`, or decimal.
struct Address: ExpressibleByArgument {
  let value: UInt64

  init(value: UInt64) { self.value = value }

  init?(argument: String) {
    guard let value = address(parsing: argument) ?? UInt64(argument) else { return nil }
    self.value = value
  }

  var defaultValueDescription: String { hexadecimal(value) }
}
