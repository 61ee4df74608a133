package import SystemPackage

extension Errno {
  /// Runs calls of swift-system, which throw nothing but an ``Errno`` and do not say so in their type.
  package static func typed<Result>(_ body: () throws -> Result) throws(Errno) -> Result {
    do {
      return try body()
    } catch {
      throw error as? Errno ?? .ioError
    }
  }
}
