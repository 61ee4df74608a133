import FilterCompiler

/// An address or another 64-bit value: hexadecimal with `0x`, or decimal.
struct Address {
  let value: UInt64

  init(value: UInt64) { self.value = value }

  init(parsing text: String) throws(MalformedValue) {
    guard let value = address(parsing: text) ?? UInt64(text) else {
      throw MalformedValue(description: "it is written as 0x7f1234560002, or in decimal")
    }
    self.value = value
  }
}
