import FilterCompiler

extension Session {
  /// Traps the executable mappings of a module of this process, as it is mapped now.
  /// - Parameter module: a file name or glob (`libfoo*.so`), `exe`, `vdso` or `anonymous`.
  /// - Throws: ``SessionError/module(_:reason:remedy:)`` where nothing matches, and as ``trap(_:)``.
  @discardableResult
  public func trap(module: String) throws(SessionError) -> [Region] {
    try declare(module: module, Session.trapDisposition)
  }

  /// Allows the executable mappings of a module of this process, as it is mapped now.
  /// - Parameter module: as for ``trap(module:)``.
  /// - Throws: as ``trap(module:)``.
  @discardableResult
  public func allow(module: String) throws(SessionError) -> [Region] {
    try declare(module: module, .allow)
  }

  private func declare(module: String, _ disposition: Disposition) throws(SessionError) -> [Region] {
    let ranges: [AddressRange]
    do throws(ProcessMapError) {
      ranges = try ProcessMap().code(of: module)
    } catch {
      throw .module(module, reason: "\(error)", remedy: error.remedy)
    }
    return try withState { state throws(SessionError) in
      // All of them or none.
      var changed = state
      var regions: [Region] = []
      for range in ranges { regions.append(try changed.declare(range, disposition)) }
      state = changed
      return regions
    }
  }
}
