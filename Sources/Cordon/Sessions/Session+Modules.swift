import FilterCompiler

extension Session {
  /// Traps the executable mappings of a module of this process, as it is mapped now.
  /// - Parameter module: a file name or glob (`libfoo*.so`), `exe`, `vdso` or `anonymous`.
  /// - Throws: ``SessionError/module(_:reason:remedy:)`` where nothing matches, and as ``trap(_:)``.
  @discardableResult
  public func trap(module: String) throws(SessionError) -> [Region] {
    try declare(module: module, .trap)
  }

  /// Allows the executable mappings of a module of this process, as it is mapped now.
  /// - Parameter module: as for ``trap(module:)``.
  /// - Throws: as ``trap(module:)``.
  @discardableResult
  public func allow(module: String) throws(SessionError) -> [Region] {
    try declare(module: module, .allow)
  }

  private func declare(module: String, _ disposition: Region.Disposition) throws(SessionError) -> [Region] {
    let ranges: [AddressRange]
    do throws(ProcessMapError) {
      ranges = try ProcessMap().code(of: module)
    } catch {
      throw .module(module, reason: "\(error)", remedy: error.remedy)
    }
    // All of them or none.
    return try change { change in
      for range in ranges { change.declare(range, disposition) }
    }
  }
}
