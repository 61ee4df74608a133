import Cordon
import SystemPackage

/// A file to be read that a word of the command line names; `-` is standard input.
struct ReadableFile {
  /// What messages call it.
  let name: String
  private let word: String

  /// What messages call `-`.
  static let standardInputName = "standard input"

  init(_ word: String) {
    self.word = word
    name = word == "-" ? Self.standardInputName : ArgumentPath.words(word)
  }

  /// The files that several words name, of which one at most may be standard input.
  /// - Parameter others: What the other words name, for the remedy.
  static func files(_ words: [String], others: String) throws(CommandFailure) -> [ReadableFile] {
    guard words.count(where: { $0 == "-" }) <= 1 else {
      throw .usage(standardInputName, "it can be read only once", remedy: "name the other \(others) as files")
    }
    return words.map(ReadableFile.init)
  }

  /// The contents. Of a file that is longer than `limit`, which may be any file at all, somewhat more than `limit` bytes.
  func bytes(limit: Int) throws(CommandFailure) -> [UInt8] {
    do {
      return try Errno.typed { try read(limit) }
    } catch {
      throw .badInput(name, "cannot be read: \(error)")
    }
  }

  private func read(_ limit: Int) throws -> [UInt8] {
    let file = word == "-" ? .standardInput : try FileDescriptor.open(ArgumentPath.path(word), .readOnly)
    defer { if word != "-" { try? file.close() } }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while bytes.count < limit {
      let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    return bytes
  }
}
