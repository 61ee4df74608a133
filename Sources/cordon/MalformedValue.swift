/// What a value of an option should have been, which the parser appends to its message.
struct MalformedValue: Error, CustomStringConvertible {
  let description: String
}
