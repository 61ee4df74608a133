import Glibc
import SystemPackage
import Testing

/// The C compiler, for programs of the tests' own.
enum Compiler {
  static let exists = exists("gcc")

  /// Whether a compiler is where packages install it.
  static func exists(_ name: String) -> Bool { access("/usr/bin/\(name)", X_OK) == 0 }

  /// Builds a program, or by `options` a library, in `folder`.
  static func build(
    _ source: String, as name: String, in folder: FilePath, by compiler: String = "gcc", _ options: [String] = []
  ) async throws {
    let file = folder.appending(name + ".c").string
    let descriptor = try FileDescriptor.open(
      FilePath(file), .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .otherRead])
    try descriptor.closeAfter { _ = try descriptor.writeAll(source.utf8) }
    let outcome = try await CordonBinary.run(
      FilePath("/usr/bin/\(compiler)"), options + ["-O1", "-o", folder.appending(name).string, file, "-ldl"])
    try #require(outcome.status == 0, "\(outcome.error)")
  }

  /// Builds a library whose function `plug` makes one call, of this number and without arguments, and returns its result.
  static func buildLibrary(
    _ name: String, calling number: Int, in folder: FilePath, by compiler: String = "gcc", _ options: [String] = []
  ) async throws {
    let source = """
      long plug(void) {
        long result;
        __asm__ volatile("syscall" : "=a"(result) : "0"(\(number)l) : "rcx", "r11", "memory");
        return result;
      }
      """
    try await build(source, as: name, in: folder, by: compiler, ["-shared", "-fPIC"] + options)
  }
}
