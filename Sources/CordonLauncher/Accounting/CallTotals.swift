import AgentInterface

/// A call of one kind, from one place in one module.
struct CallPlace: Hashable {
  /// Index of the module's name; nil where nobody knows what lies there.
  var module: Int?
  /// From the start of the module's file, or an address where there is no file.
  var offset: UInt64
  /// The lower 16 bits of a site's key: number and interface.
  var call: UInt16
}

/// What is known of the calls from one place.
struct CallTotals {
  var calls: UInt64 = 0
  var errors: UInt64 = 0
  /// Ticks of the time stamp counter.
  var ticks: UInt64 = 0
  var timed: UInt64 = 0
  /// The time stamp counter at the first.
  var first = UInt64.max

  mutating func add(_ site: CordonSite) {
    add(CallTotals(calls: site.calls, errors: site.errors, ticks: site.ticks, timed: site.timed, first: site.first))
  }

  mutating func add(_ call: CordonCall) {
    ticks += call.ended &- call.began
    timed += 1
    let result = Int64(bitPattern: call.result)
    if (-4095..<0).contains(result) { errors += 1 }
  }

  mutating func add(_ other: CallTotals) {
    calls += other.calls
    errors += other.errors
    ticks += other.ticks
    timed += other.timed
    first = min(first, other.first)
  }
}
