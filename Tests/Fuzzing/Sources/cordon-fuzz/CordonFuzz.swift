import Foundation
import LibFuzzer

/// Feeds arbitrary bytes to what reads the files of strangers: `cordon-fuzz FAMILY [OPTION]… [FOLDER]…`, with libFuzzer's
/// options, or `cordon-fuzz seeds FOLDER PROFILE…` for inputs to start from.
///
/// A crash, a trap, and what the options call too slow or too large end it; so does an answer that contradicts another one.
@main enum CordonFuzz {
  private static let usage = """
    usage: cordon-fuzz FAMILY [LIBFUZZER-OPTION]... [FOLDER]...
           cordon-fuzz seeds FOLDER PROFILE...
    families: \(Family.allCases.map(\.rawValue).joined(separator: ", "))

    """

  /// The function that libFuzzer calls is a C function, which can hold no family.
  nonisolated(unsafe) private static var family = Family.show

  static func main() {
    let words = Array(CommandLine.arguments.dropFirst())
    if words.first == "seeds", words.count > 2 {
      exit(Seeds(profiles: Array(words.dropFirst(2))).write(to: words[1]) ? 0 : 1)
    }
    guard let name = words.first, let family = Family(rawValue: name) else {
      FileHandle.standardError.write(Data(usage.utf8))
      exit(64)
    }
    Self.family = family
    // libFuzzer sees the arguments without the family, and starts itself anew where it uses several processes.
    var arguments: [UnsafeMutablePointer<CChar>?] = ([CommandLine.arguments[0]] + words.dropFirst()).map { strdup($0) }
    var count = CInt(arguments.count)
    arguments.append(nil)
    let status = arguments.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      return LLVMFuzzerRunDriver(&count, &start) { bytes, count in
        CordonFuzz.family.feed(Array(UnsafeBufferPointer(start: bytes, count: count)))
        return 0
      }
    }
    exit(status)
  }
}
