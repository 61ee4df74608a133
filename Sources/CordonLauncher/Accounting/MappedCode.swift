import Cordon
import Glibc
import SystemPackage

/// The code that a process has mapped.
enum MappedCode {
  /// nil where it may not be read. Of a process that is gone nothing is there.
  static func map(of thread: Int32) -> ProcessMap? {
    let text: String
    do {
      text = try KernelFile.content("/proc/\(thread)/maps")
    } catch {
      let isForbidden = error == .permissionDenied || error == .notPermitted
      return isForbidden ? nil : ProcessMap(process: thread, mappings: [], executable: nil)
    }
    var mappings: [ProcessMap.Mapping] = []
    // Most lines are not of code: these are passed over before anything is made of them.
    for line in text.split(separator: "\n") {
      guard let blank = line.utf8.firstIndex(of: UInt8(ascii: " ")) else { continue }
      let permissions = line.utf8[line.utf8.index(after: blank)...].prefix(4)
      guard permissions.dropFirst(2).first == UInt8(ascii: "x") else { continue }
      if let mapping = ProcessMap.Mapping(line: line) { mappings.append(mapping) }
    }
    var executable = link("/proc/\(thread)/exe").map { ProcessMap.path(ofLink: $0) }
    // Where it is the loader's file that is said to be executed, nothing of that is there.
    if !mappings.contains(where: { $0.path == executable }) { executable = program(of: thread, text) ?? executable }
    return ProcessMap(process: thread, mappings: mappings, executable: executable)
  }

  /// The file with the program headers that the kernel has told the program of, getauxval(3).
  private static func program(of thread: Int32, _ maps: String) -> String? {
    guard let vector = try? KernelFile.bytes("/proc/\(thread)/auxv") else { return nil }
    let words = vector.withUnsafeBytes { bytes in
      (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
    }
    let places = stride(from: 0, to: words.count - 1, by: 2)
    guard let headers = places.first(where: { words[$0] == UInt64(AT_PHDR) }).map({ words[$0 + 1] }) else { return nil }
    return maps.split(separator: "\n").lazy.compactMap { ProcessMap.Mapping(line: $0) }
      .first { $0.range.contains(headers) }?.path
  }

  /// What a symbolic link leads to.
  static func link(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink(path, &buffer, buffer.count)
    guard length > 0 else { return nil }
    return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
