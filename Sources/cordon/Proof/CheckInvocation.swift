import FilterCompiler

/// The command line that asks `cordon check` about one call, ready to be pasted into a shell.
struct CheckInvocation: CustomStringConvertible {
  private let files: [String]
  private let call: SeccompData

  init(_ files: [String], _ call: SeccompData) {
    self.files = files
    self.call = call
  }

  var description: String {
    var words = ["cordon", "check"] + files.map { $0 == ReadableFile.standardInputName ? "-" : Self.quoted($0) }
    words += ["--nr", "\(call.number)", "--ip", hexadecimal(call.instructionPointer), "--arch", "\(call.architecture)"]
    for (index, value) in call.arguments.enumerated() where value != 0 {
      words += ["--arg", "\(index)=\(hexadecimal(value))"]
    }
    return words.joined(separator: " ")
  }

  /// A word as a shell reads it back.
  private static func quoted(_ word: String) -> String {
    let isPlain = word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "="):
        true
      default: false
      }
    }
    if isPlain, !word.isEmpty { return word }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
