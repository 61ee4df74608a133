/// A process, by its positive number.
struct ProcessNumber {
  let value: Int32

  init(parsing text: String) throws(MalformedValue) {
    guard let value = Int32(text), value > 0 else {
      throw MalformedValue(description: "it is a number, as `ps -e` or `pidof NAME` shows it")
    }
    self.value = value
  }
}
