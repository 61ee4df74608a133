package import AgentInterface

/// Takes records out of an area's ring, in the order of their places. One whose writer was killed while it wrote, or has
/// jumped out of a signal handler that interrupted it, holds up nothing: it is set aside, and taken when it is complete after all.
package struct RecordReader {
  /// The places of records that are set aside.
  private var setAside: [UInt64] = []
  /// The place that is waited for, and since when.
  private var awaited: (place: UInt64, since: UInt64)?

  package init() {}

  /// How long a record is waited for, in nanoseconds: a thread that has to wait for a processor is soon back.
  package static let patience: UInt64 = 10_000_000
  /// How many may be set aside: the rest of the ring is for others.
  private static let limit = Int(CORDON_AREA_RECORDS) / 2

  /// - Parameters:
  ///   - time: now, in nanoseconds of a clock that only goes forward.
  ///   - isFinal: whether nobody writes any more, so that nothing is worth waiting for.
  /// - Returns: with `isFinal`, how many records were begun and will never be complete; 0 otherwise.
  package mutating func take(
    from area: UnsafeMutablePointer<CordonAgentArea>, at time: UInt64, isFinal: Bool,
    _ body: (borrowing CordonRecord) -> Void
  ) -> Int {
    takeLate(from: area, body)
    let written = cordon_area_written(area)
    var place = area.pointee.read
    while place < written {
      let record = cordon_area_record(area, place)
      let begun = cordon_record_state(place, CordonRecordBegun)
      if cordon_record_load_state(record) == begun {
        guard isFinal || isLate(place, time) else { break }
        // It may be complete by now.
        if cordon_record_exchange_state(record, begun, cordon_record_state(place, CordonRecordSetAside)) != 0 {
          setAside.append(place)
        }
      }
      if cordon_record_load_state(record) == cordon_record_state(place, CordonRecordComplete) { body(record.pointee) }
      place += 1
      // Programs that wait for room need not wait for all of it.
      if place.isMultiple(of: 64) { cordon_area_publish_read(area, place) }
    }
    cordon_area_publish_read(area, place)
    guard isFinal else { return 0 }
    // A thread that is killed before it has said that its place is taken has begun a record all the same.
    let next = cordon_record_load_state(cordon_area_record(area, written))
    return setAside.count + (next == cordon_record_state(written, CordonRecordBegun) ? 1 : 0)
  }

  private mutating func isLate(_ place: UInt64, _ time: UInt64) -> Bool {
    guard let awaited, awaited.place == place else {
      awaited = (place, time)
      return false
    }
    return time - awaited.since >= Self.patience && setAside.count < Self.limit
  }

  /// Takes those that are complete after all. From the next turn but one their places are used again: those of this turn
  /// and the next may have been passed over already.
  private mutating func takeLate(
    from area: UnsafeMutablePointer<CordonAgentArea>, _ body: (borrowing CordonRecord) -> Void
  ) {
    setAside.removeAll { place in
      let record = cordon_area_record(area, place)
      guard cordon_record_load_state(record) == cordon_record_state(place, CordonRecordLate) else { return false }
      body(record.pointee)
      let next = cordon_area_written(area) + UInt64(CORDON_AREA_RECORDS)
      cordon_record_store_state(record, cordon_record_state(next, CordonRecordPassed))
      return true
    }
  }
}
