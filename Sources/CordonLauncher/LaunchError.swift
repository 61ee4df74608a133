import SystemPackage

/// Why a program could not be run.
package enum LaunchError: Error, Hashable, Sendable {
  /// What was named on the command line cannot be run.
  case program(String, problem: String, remedy: String?)
  /// This machine, or what the caller may do on it, lacks something.
  case machine(String, remedy: String?)
}

extension Errno {
  /// What there is to do where it is descriptors that are lacking.
  var remedyForDescriptors: String? {
    self == .tooManyOpenFiles || self == .tooManyOpenFilesInSystem ? "see `ulimit -n`" : nil
  }
}
