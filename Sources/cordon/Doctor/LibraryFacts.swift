import CLibSeccomp

/// Facts about the libraries that are used.
enum LibraryFacts {
  static func all() -> [Fact] {
    guard let version = seccomp_version()?.pointee else {
      return [Fact(name: "library.libseccomp", title: "libseccomp", answer: .unknown, reason: "it does not tell")]
    }
    return [
      .value("library.libseccomp", "libseccomp", "\(version.major).\(version.minor).\(version.micro)")
    ]
  }
}
