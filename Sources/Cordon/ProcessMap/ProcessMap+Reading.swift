internal import Glibc
internal import SystemPackage

extension ProcessMap {
  /// How often a map is read in the hope of finding it unchanged.
  private static let attempts = 16

  /// Reads the map of a process, or of this one.
  ///
  /// The kernel gives out a few pages of text at a time, and the process may map and unmap code in between. So the map
  /// is read until two readings in a row have the same code in the same places.
  ///
  /// - Throws: ``ProcessMapError/noSuchProcess(_:)``, ``ProcessMapError/notPermitted(_:)``,
  ///   ``ProcessMapError/noAddressSpace(_:)``, ``ProcessMapError/changing(_:)``, or
  ///   ``ProcessMapError/unreadable(_:_:)`` with what the kernel said.
  package init(of process: Int32 = getpid()) throws(ProcessMapError) {
    let settled = try Self.settled { () throws(ProcessMapError) in try Self.mappings(of: process) }
    guard let settled else { throw .changing(process) }
    guard !settled.isEmpty else { throw .noAddressSpace(process) }
    self.init(process: process, mappings: settled, executable: Self.executable(of: process))
  }

  /// The first reading with the same code in the same places as the one before it; nil where there is none among
  /// ``attempts``.
  package static func settled(
    _ read: () throws(ProcessMapError) -> [Mapping]
  ) throws(ProcessMapError) -> [Mapping]? {
    var before = try read()
    for _ in 1..<attempts {
      let mappings = try read()
      if mappings.filter(\.isExecutable) == before.filter(\.isExecutable) { return mappings }
      before = mappings
    }
    return nil
  }

  private static func mappings(of process: Int32) throws(ProcessMapError) -> [Mapping] {
    let text: String
    do {
      text = try KernelFile.content("/proc/\(process)/maps")
    } catch {
      switch error {
      case .noSuchFileOrDirectory, .noSuchProcess: throw .noSuchProcess(process)
      case .permissionDenied, .notPermitted: throw .notPermitted(process)
      default: throw .unreadable(process, error)
      }
    }
    guard let mappings = Self.mappings(in: text) else { throw .unreadable(process, .badMessage) }
    return mappings
  }

  private static func executable(of process: Int32) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink("/proc/\(process)/exe", &buffer, buffer.count)
    guard length > 0 else { return nil }
    return path(ofLink: String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }
}
