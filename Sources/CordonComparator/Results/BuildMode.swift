/// How the comparator itself was built: figures of a debug build say little.
package enum BuildMode: String, Sendable {
  case release, debug

  package static var current: BuildMode {
    #if DEBUG
      .debug
    #else
      .release
    #endif
  }
}
