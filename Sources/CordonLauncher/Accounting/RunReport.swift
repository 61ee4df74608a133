import FilterCompiler

/// What a run came to: which code called what, how often and how long.
package struct RunReport {
  /// A call of one kind by one module.
  struct Row {
    let module: Int?
    let call: String
    let number: UInt32
    let architecture: String
    let totals: CallTotals
    /// Where the first came from, and where the most did.
    let firstSite: Site
    let hottestSite: Site
  }

  struct Site {
    let offset: UInt64
    let calls: UInt64
  }

  /// By module as it comes first, and by calls, most of them first.
  let rows: [Row]
  let names: ModuleNames
  let nanosecondsPerTick: Double
  /// Nanoseconds from start to end.
  let duration: UInt64
  let lostCalls: Int
  /// Calls that the log lacks, since it was not written in time.
  let lostRecords: Int
  /// Calls that the log lacks, since their threads were ended, or jumped away, while they wrote them.
  let unfinishedRecords: Int
  /// The targets that no code was found for.
  package let absent: [CodeSelection.Target]
  /// The modules of the profile that never appeared.
  package let absentModules: [String]

  init(
    totals: [CallPlace: CallTotals], names: ModuleNames, nanosecondsPerTick: Double, duration: UInt64, lostCalls: Int,
    lostRecords: Int, unfinishedRecords: Int, absent: [CodeSelection.Target], absentModules: [String]
  ) {
    self.names = names
    self.nanosecondsPerTick = nanosecondsPerTick
    self.duration = duration
    self.lostCalls = lostCalls
    self.lostRecords = lostRecords
    self.unfinishedRecords = unfinishedRecords
    self.absent = absent
    self.absentModules = absentModules
    struct Kind: Hashable {
      let module: Int?
      let call: UInt16
    }
    let kinds = Dictionary(grouping: totals.filter { $0.value.calls > 0 }) {
      Kind(module: $0.key.module, call: $0.key.call)
    }
    let rows = kinds.compactMap { kind, places -> Row? in
      guard
        let first = places.min(by: { ($0.value.first, $0.key.offset) < ($1.value.first, $1.key.offset) }),
        let hottest = places.max(by: { ($0.value.calls, $1.key.offset) < ($1.value.calls, $0.key.offset) })
      else { return nil }
      var sum = CallTotals()
      for place in places { sum.add(place.value) }
      let (number, architecture) = CallSite.numberAndArchitecture(ofCall: kind.call)
      return Row(
        module: kind.module, call: CallSite.name(ofCall: kind.call), number: number,
        architecture: architecture.description, totals: sum,
        firstSite: Site(offset: first.key.offset, calls: first.value.calls),
        hottestSite: Site(offset: hottest.key.offset, calls: hottest.value.calls))
    }
    // Code that is not the system's is what people look for.
    func order(_ row: Row) -> (Int, String, UInt64, String) {
      let module = row.module.map { names[$0] }
      return (module?.isSystem == true ? 1 : 0, module?.path ?? "", UInt64.max - row.totals.calls, row.call)
    }
    self.rows = rows.sorted { order($0) < order($1) }
  }

  func isSystem(_ row: Row) -> Bool { row.module.map { names[$0].isSystem } == true }

  /// How many calls came from elsewhere than the C library, the loader and the vDSO.
  package var callsFromElsewhere: UInt64 {
    rows.filter { !isSystem($0) }.reduce(0) { $0 + $1.totals.calls }
  }

  package var calls: UInt64 { rows.reduce(0) { $0 + $1.totals.calls } }

  func nanoseconds(_ totals: CallTotals) -> UInt64 { UInt64(Double(totals.ticks) * nanosecondsPerTick) }
}
