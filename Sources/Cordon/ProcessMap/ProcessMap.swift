package import FilterCompiler

/// What is mapped where in a process, as /proc/PID/maps tells.
package struct ProcessMap: Sendable {
  /// A contiguous range of one process's address space with one origin and one set of permissions.
  package struct Mapping: Hashable, Sendable {
    package let range: AddressRange
    package let isReadable: Bool
    package let isWritable: Bool
    package let isExecutable: Bool
    package let origin: Origin
    /// Where in the file it begins.
    package var fileOffset: UInt64 = 0
    /// Whether it is a segment of System V shared memory.
    package var isSegment = false
  }

  /// Where the contents of a mapping come from.
  package enum Origin: Hashable, Sendable {
    /// A file, by the path it was mapped under; `isDeleted` where that path no longer leads to it.
    case file(path: String, isDeleted: Bool)
    /// Memory of the process's own, with the name it gave it (`prctl(PR_SET_VMA_ANON_NAME)`).
    case anonymous(name: String?)
    /// What the kernel puts there and names in brackets, without them: `vdso`, `vvar`, `stack`, `heap`, `vsyscall`.
    case special(String)
  }

  /// The process.
  package let process: Int32
  /// The mappings in ascending order.
  package let mappings: [Mapping]
  /// The path of the main program's file, as its mappings have it; nil where that cannot be read.
  package let executable: String?

  package init(process: Int32, mappings: [Mapping], executable: String?) {
    self.process = process
    self.mappings = mappings
    self.executable = executable
  }

  /// The executable mappings, in ascending order.
  package var executableMappings: [Mapping] { mappings.filter(\.isExecutable) }
}

extension ProcessMap.Mapping {
  /// The path of the file that is mapped; nil where it is no file.
  package var path: String? {
    if case .file(let path, _) = origin { path } else { nil }
  }

  /// The last component of the path; nil where it is no file.
  package var name: String? {
    path.map { path in path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path }
  }
}
