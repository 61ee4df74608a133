import FoundationEssentials
import Glibc
package import SystemPackage

/// A folder of its own with what the real programs work on: the same on every machine.
package struct ProgramMaterial: ~Copyable {
  /// Where it is; absolute.
  package let path: FilePath

  static let tree = "tree"
  static let archive = "tree.tar"
  static let database = "database"
  static let inserts = "inserts.sql"
  static let source = "source.c"
  static let object = "source.o"
  static let goFiles = "go"

  /// Makes the folder in `$TMPDIR` or /tmp.
  package init() throws(Errno) {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array(FilePath(parent).appending("cordon-compare.XXXXXX").string.utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
    let path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    do throws(Errno) {
      try Self.fill(path)
    } catch {
      Self.remove(path)
      throw error
    }
    self.path = path
  }

  deinit { Self.remove(path) }

  /// What cannot be removed stays.
  private static func remove(_ path: FilePath) { try? FileManager.default.removeItem(atPath: path.string) }

  private static func fill(_ path: FilePath) throws(Errno) {
    let text = String(repeating: "The quick brown fox jumps over the lazy dog.\n", count: 30)
    try folder(path.appending(tree))
    for outer in 0..<50 {
      try folder(path.appending(tree).appending("\(outer)"))
      for inner in 0..<40 {
        try file(
          path.appending(tree).appending("\(outer)").appending("\(inner)"), inner.isMultiple(of: 2) ? text : "short\n")
      }
    }
    // No waiting for a disk: it would be most of the time, and says nothing about calls.
    let lines = (0..<200).map { "INSERT INTO numbers VALUES (\($0), 'number \($0)');\n" }
    try file(
      path.appending(inserts),
      "PRAGMA synchronous = OFF;\nDROP TABLE IF EXISTS numbers;\nCREATE TABLE numbers (number INTEGER, name TEXT);\n"
        + lines.joined() + "SELECT count(*) FROM numbers;\n")
    try file(
      path.appending(source),
      "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
        + (0..<20).map { "int f\($0)(int n) { int s = 0; for (int i = 0; i < n; i++) s += i * \($0); return s; }\n" }
        .joined() + "int main(void) { printf(\"%d\\n\", f1(atoi(\"7\"))); return 0; }\n")
    try folder(path.appending(goFiles))
    for number in 0..<100 {
      try file(
        path.appending(goFiles).appending("file\(number).go"),
        "package numbers\n\n// F\(number) adds.\nfunc F\(number)(n int) int {\n\treturn n + \(number)\n}\n")
    }
  }

  private static func folder(_ path: FilePath) throws(Errno) {
    guard path.withPlatformString({ mkdir($0, 0o755) }) == 0 else { throw Errno(rawValue: errno) }
  }

  private static func file(_ path: FilePath, _ text: String) throws(Errno) {
    do {
      let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .exclusiveCreate], permissions: [.ownerReadWrite])
      try file.closeAfter { _ = try file.writeAll(text.utf8) }
    } catch { throw error as? Errno ?? .ioError }
  }
}
