package import FilterCompiler
internal import Glibc

extension ProcessMap {
  /// The code of a module: its executable mappings, in ascending order, at least one.
  ///
  /// `name` is one of
  /// - `exe`: the main program; `vdso`: the kernel's code in the process; `anonymous`: code that comes from no
  ///   file, such as a just-in-time compiler's, on the heap and the stack too;
  /// - a glob with a slash, matched with the whole path of a mapped file;
  /// - any other glob, matched with the last component of the path.
  ///
  /// A file that happens to be called `exe`, `vdso` or `anonymous` is reached by its path or by a glob such as `[e]xe`.
  ///
  /// - Throws: ``ProcessMapError/noSuchModule(_:process:near:)``, ``ProcessMapError/noCode(_:process:)``.
  package func code(of name: String) throws(ProcessMapError) -> [AddressRange] {
    let matching = mappings.filter { matches($0, name) }
    guard !matching.isEmpty else {
      let names = moduleNames
      let near = NearNames.of(name, among: names)
      throw .noSuchModule(name, process: process, near: near, present: names)
    }
    let code = matching.filter(\.isExecutable).map(\.range)
    guard !code.isEmpty else { throw .noCode(name, process: process) }
    return code
  }

  /// The names that ``code(of:)`` finds code by, in alphabetical order.
  package var moduleNames: [String] {
    let keywords = ["anonymous", "exe", "vdso"].filter { keyword in
      executableMappings.contains { matches($0, keyword) }
    }
    return Set(keywords + executableMappings.compactMap(\.name)).sorted()
  }

  private func matches(_ mapping: Mapping, _ name: String) -> Bool {
    switch (name, mapping.origin) {
    case ("exe", .file(let path, _)): path == executable
    case ("vdso", .special(let special)): special == "vdso"
    case ("anonymous", .anonymous): mapping.isExecutable
    case ("anonymous", .special(let special)):
      mapping.isExecutable && (special == "heap" || special == "stack" || special.hasPrefix("stack:"))
    case ("exe", _), ("vdso", _), ("anonymous", _): false
    case (_, .file(let path, _)):
      name.contains("/") ? Self.matches(path, glob: name) : mapping.name.map { Self.matches($0, glob: name) } == true
    case (_, .anonymous), (_, .special): false
    }
  }

  private static func matches(_ text: String, glob: String) -> Bool { text == glob || fnmatch(glob, text, 0) == 0 }
}
