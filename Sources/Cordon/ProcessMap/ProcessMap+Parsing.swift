internal import FilterCompiler

extension ProcessMap.Mapping {
  /// Reads one line of /proc/PID/maps: `START-END rwxp OFFSET DEVICE INODE      PATH`.
  ///
  /// nil where the text is no such line.
  package init?(line: some StringProtocol) {
    // The path is all that follows the blanks behind the inode; it may have blanks itself.
    let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
    guard fields.count >= 5 else { return nil }
    let bounds = fields[0].split(separator: "-")
    let permissions = fields[1].utf8.map(\.self)
    guard bounds.count == 2, let start = UInt64(bounds[0], radix: 16), let end = UInt64(bounds[1], radix: 16),
      let range = try? AddressRange(start: start, end: end), permissions.count == 4
    else { return nil }
    let field = fields.count == 6 ? fields[5].drop { $0 == " " } : ""
    self.init(
      range: range, isReadable: permissions[0] == UInt8(ascii: "r"),
      isWritable: permissions[1] == UInt8(ascii: "w"), isExecutable: permissions[2] == UInt8(ascii: "x"),
      origin: ProcessMap.Origin(field: field), fileOffset: UInt64(fields[2], radix: 16) ?? 0,
      isSegment: ProcessMap.Origin.isSegment(field))
  }
}

extension ProcessMap.Origin {
  private static let deletedMark = " (deleted)"

  /// Whether the file, which is deleted, is one that the kernel keeps shared memory in that has none (shmem_zero_setup in
  /// mm/shmem.c, hugetlb_file_setup in fs/hugetlbfs/inode.c, newseg in ipc/shm.c).
  private static func isSharedMemory(_ path: some StringProtocol) -> Bool {
    path == "/dev/zero" || path == "/anon_hugepage" || isSegmentName(path)
  }

  private static func isSegmentName(_ path: some StringProtocol) -> Bool {
    path.hasPrefix("/SYSV") && path.utf8.count == 13 && path.dropFirst(5).allSatisfy(\.isHexDigit)
  }

  /// Whether the last field of a line is that of a segment of System V shared memory.
  static func isSegment(_ field: some StringProtocol) -> Bool {
    field.hasSuffix(deletedMark) && isSegmentName(field.dropLast(deletedMark.count))
  }

  /// Reads the last field of a line.
  init(field: some StringProtocol) {
    if field.isEmpty {
      self = .anonymous(name: nil)
    } else if field.first == "[", field.last == "]" {
      let name = field.dropFirst().dropLast()
      if name.hasPrefix("anon:") || name.hasPrefix("anon_shmem:") {
        self = .anonymous(name: String(name.drop { $0 != ":" }.dropFirst()))
      } else {
        self = .special(String(name))
      }
    } else {
      // The kernel writes a newline of a path as an octal escape, and nothing else (show_map_vma in
      // fs/proc/task_mmu.c).
      let path = field.split(separator: "\\012", omittingEmptySubsequences: false).joined(separator: "\n")
      guard path.hasSuffix(Self.deletedMark) else {
        self = .file(path: path, isDeleted: false)
        return
      }
      let deleted = String(path.dropLast(Self.deletedMark.count))
      self = Self.isSharedMemory(deleted) ? .anonymous(name: nil) : .file(path: deleted, isDeleted: true)
    }
  }
}

extension ProcessMap {
  /// Reads the text of /proc/PID/maps; nil where a line of it is not as the kernel writes them.
  package static func mappings(in text: String) -> [Mapping]? {
    var mappings: [Mapping] = []
    for line in text.split(separator: "\n") {
      guard let mapping = Mapping(line: line) else { return nil }
      mappings.append(mapping)
    }
    return mappings
  }

  /// The path that /proc/PID/exe leads to, in the form of ``Mapping/path``.
  package static func path(ofLink target: String) -> String {
    if case .file(let path, _) = Origin(field: target) { path } else { target }
  }
}
