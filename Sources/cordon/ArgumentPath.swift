import SystemPackage

/// Finds the file that a word of the command line names.
///
/// Swift's strings are Unicode and file names are bytes: what is no UTF-8 in a word has become U+FFFD, and a file of that
/// name would be another one.
enum ArgumentPath {
  /// What messages call a file: its name, in quotes where it would not be seen.
  static func words(_ name: String) -> String { name.isEmpty ? "''" : name }

  /// The path that was written as `name`, in a word of the command line or at the end of one (`--output=NAME`), with
  /// `ending` added.
  ///
  /// - Throws: `.illegalByteSequence` where two names became the same text, so that it is open which is meant.
  static func path(_ name: String, ending: String = "") throws(Errno) -> FilePath {
    guard name.unicodeScalars.contains("\u{fffd}") else { return FilePath(name + ending) }
    var found: Set<[UInt8]> = []
    for index in 0..<Int(CommandLine.argc) {
      guard let word = CommandLine.unsafeArgv[index] else { continue }
      let bytes = String.bytes(word)
      let places = bytes.indices.filter { String(decoding: bytes[$0...], as: UTF8.self).utf8.elementsEqual(name.utf8) }
      found.formUnion(places.map { Array(bytes[$0...]) })
    }
    guard found.count <= 1 else { throw .illegalByteSequence }
    guard let bytes = found.first else { return FilePath(name + ending) }
    return FilePath(platformString: (bytes + ending.utf8 + [0]).map { CChar(bitPattern: $0) })
  }
}

extension String {
  /// The bytes of a C string.
  fileprivate static func bytes(_ start: UnsafeMutablePointer<CChar>) -> [UInt8] {
    var bytes: [UInt8] = []
    while start[bytes.count] != 0 { bytes.append(UInt8(bitPattern: start[bytes.count])) }
    return bytes
  }
}
