import Cordon
package import FilterCompiler
import Glibc

/// Which code's calls are to be trapped, as a command line says it.
package struct CodeSelection: Hashable, Sendable {
  /// One way of naming code.
  package enum Target: Hashable, Sendable {
    case all
    /// The main program; code from no file; code that is from no file or can be written; the kernel's own.
    case exe, anonymous, jit, vdso
    case range(AddressRange)
    /// A glob for the last component of a mapped file's path, or for the whole path where it has a slash.
    case module(String)
  }

  package let targets: [Target]

  package init(_ targets: [Target]) { self.targets = targets }

  /// Whether the code of only such modules is meant as a loader maps while the program runs, wherever it is told to.
  var isOfPlaceableModules: Bool {
    !targets.isEmpty
      && targets.allSatisfy { target in
        guard case .module(let glob) = target else { return false }
        return glob.withCString { strstr($0, ".so") != nil && !Self.meansLoader($0) }
      }
  }

  /// Whether the glob may mean a loader, which the kernel maps with the program: glibc's, or musl's, which is its C library too.
  private static func meansLoader(_ glob: UnsafePointer<CChar>) -> Bool {
    let name = strrchr(glob, CInt(UInt8(ascii: "/"))).map { UnsafePointer($0 + 1) } ?? glob
    return fnmatch(name, "ld-linux-x86-64.so.2", 0) == 0 || fnmatch(name, "ld-musl-x86_64.so.1", 0) == 0
  }

  /// Whether code is meant that a program need not have.
  var canBeAbsent: Bool { targets.contains { $0 != .all } }

  /// The targets, as indices, that code of this mapping belongs to whole.
  func matches(_ mapping: ProcessMap.Mapping, executable: String?) -> [Int] {
    targets.indices.filter { Self.matches(mapping, targets[$0], executable) }
  }

  /// The targets that the file belongs to.
  func matches(path: String) -> [Int] {
    targets.indices.filter { index in
      if case .module(let glob) = targets[index] { Self.matches(path, glob) } else { false }
    }
  }

  /// The parts of a mapping's range that are decided alike, in ascending order: each is inside a range that was named,
  /// or outside of all.
  func parts(of range: AddressRange, alsoAt others: [UInt64]) -> [AddressRange] {
    var cuts = [range.start, range.end] + others.filter { range.start < $0 && $0 < range.end }
    for case .range(let named) in targets where named.overlaps(range) {
      cuts += [named.start, named.end].filter { range.start < $0 && $0 < range.end }
    }
    let sorted = Array(Set(cuts)).sorted()
    return zip(sorted, sorted.dropFirst()).compactMap { try? AddressRange(start: $0, end: $1) }
  }

  /// The ranges that were named and hold the address.
  func rangesHolding(_ address: UInt64) -> [Int] {
    targets.indices.filter { index in
      if case .range(let named) = targets[index] { named.contains(address) } else { false }
    }
  }

  private static func matches(_ mapping: ProcessMap.Mapping, _ target: Target, _ executable: String?) -> Bool {
    switch (target, mapping.origin) {
    case (.all, _): true
    case (.exe, .file(let path, _)): path == executable
    case (.vdso, .special(let name)): name == "vdso" || name == "vsyscall"
    case (.anonymous, .anonymous): true
    case (.anonymous, .special(let name)): name == "heap" || name.hasPrefix("stack")
    case (.jit, .anonymous): true
    case (.jit, .special(let name)): name == "heap" || name.hasPrefix("stack")
    case (.jit, .file(let path, _)): mapping.isWritable || path.hasPrefix("/memfd:")
    case (.module(let glob), .file(let path, _)): matches(path, glob)
    default: false
    }
  }

  private static func matches(_ path: String, _ glob: String) -> Bool {
    let name =
      glob.contains("/") ? path : path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    return name == glob || fnmatch(glob, name, 0) == 0
  }
}
