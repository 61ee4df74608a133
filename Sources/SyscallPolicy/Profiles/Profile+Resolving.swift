public import FilterCompiler

extension Profile {
  /// Finds the executable ranges that a name stands for, at least one.
  public typealias CodeFinder = (CodeName) throws(CodeNameError) -> [AddressRange]

  /// The regions of the profile, with code that is named by module where `find` says that it lies.
  ///
  /// - Throws: ``ProfileError`` where `find` finds no code for a region that is not optional, where regions contradict
  ///   each other or no code can lie in one, and where modules are named and `find` is nil.
  public func regionMap(finding find: CodeFinder? = nil) throws(ProfileError) -> RegionMap {
    try regionMap(find, absenceIsAnError: true)
  }

  /// The regions of the profile as far as their code is there by now: what `find` does not find yet has none.
  package func presentRegionMap(finding find: @escaping CodeFinder) throws(ProfileError) -> RegionMap {
    try regionMap(find, absenceIsAnError: false)
  }

  private func regionMap(_ find: CodeFinder?, absenceIsAnError: Bool) throws(ProfileError) -> RegionMap {
    var map = RegionMap(architecture: architecture, default: defaultDisposition)
    // What has been inserted, so that a contradiction can say with what.
    var inserted: [(range: AddressRange, disposition: Disposition?, place: ProfileText.Place)] = []
    func insert(
      _ range: AddressRange, _ disposition: Disposition?, _ place: ProfileText.Place
    ) throws(ProfileError) {
      do {
        if let disposition { try map.insert(range, disposition) } else { try map.insertDontCare(range) }
      } catch {
        let other = inserted.first { $0.range.overlaps(range) && $0.disposition != disposition }
        throw self.error(error, at: place, with: other?.place)
      }
      inserted.append((range, disposition, place))
    }
    for entry in entries {
      let hint = "say 'optional: true' if it may be missing"
      for range in try text.ranges(of: entry, find, absenceIsAnError, hint: hint) {
        try insert(range, entry.disposition, entry.place)
      }
    }
    for gap in dontCare { try insert(gap.range, nil, gap.place) }
    return map
  }

  private func error(
    _ error: RegionError, at place: ProfileText.Place, with other: ProfileText.Place?
  ) -> ProfileError {
    switch error {
    case .contradiction:
      text.error(
        at: place, "\(error)" + (other.map { " of line \($0.line)" } ?? ""),
        remedy: "let the ranges end where the others start, and name code for one disposition only")
    case .aboveUserSpace:
      text.error(at: place, "\(error)", remedy: "'architecture' says whose code it is")
    default: text.error(at: place, "\(error)")
    }
  }
}

extension ProfileText {
  /// The ranges that the code of an entry lies in; none where it may be missing and is. Where it may not be, `hint` says
  /// what to do about it.
  func ranges(
    of entry: Profile.Entry, _ find: Profile.CodeFinder?, _ absenceIsAnError: Bool = true, hint: String? = nil
  ) throws(ProfileError) -> [AddressRange] {
    switch entry.code {
    case .range(let range): return [range]
    case .named(let name):
      guard let find else {
        throw error(
          at: entry.place, "'\(name)' is a module, and no process is given in which to look for it",
          remedy: "name the process with --pid, or write the code as 0xSTART-0xEND")
      }
      do {
        return try find(CodeName(name, writable: entry.writable))
      } catch {
        if error.isAbsence, entry.isOptional || !absenceIsAnError { return [] }
        let hint = error.isAbsence ? hint : nil
        throw self.error(
          at: entry.place, error.problem, remedy: [hint, error.remedy].compactMap(\.self).joined(separator: "; "))
      }
    }
  }
}
