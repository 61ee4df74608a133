/// The modules that code has been found in, each once, by the path of its file or by what it is.
struct ModuleNames {
  struct Module {
    /// A path, or `[vdso]`, `[anonymous]` and the like.
    let path: String
    /// What a report calls it.
    let name: String
    /// Whether it is the C library, the loader or the vDSO: where calls are expected to come from.
    let isSystem: Bool
    /// Whether it is a file.
    let isFile: Bool
  }

  private(set) var modules: [Module] = []
  private var indices: [String: Int] = [:]

  /// The index of a module, which gets one if it has none.
  mutating func index(path: String, isFile: Bool) -> Int {
    if let index = indices[path] { return index }
    let name = isFile ? path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path : path
    modules.append(
      Module(path: path, name: name, isSystem: Self.isSystem(name, isFile: isFile), isFile: isFile))
    indices[path] = modules.count - 1
    return modules.count - 1
  }

  subscript(index: Int) -> Module { modules[index] }

  /// glibc's parts that make calls, its loader and musl's, which is its library too; and the kernel's own code.
  private static func isSystem(_ name: String, isFile: Bool) -> Bool {
    guard isFile else { return name == "[vdso]" || name == "[vsyscall]" }
    let parts = ["libc", "ld", "libpthread", "librt", "libdl", "libresolv", "libm", "libnsl", "libanl", "libnss_files"]
    let stem = name.prefix { $0 != "." && $0 != "-" }
    return name.hasPrefix("ld-") || name.hasPrefix("libc-")
      || name.contains(".so") && parts.contains(String(stem)) && name.dropFirst(stem.count).first != nil
  }
}
