import AgentInterface
import CordonLauncher
import Glibc
import TestSupport
import Testing

/// Records of calls are taken out of an area's ring in order, whatever has become of the threads that write them.
@Suite struct RecordReaderTests {
  /// An area, and somebody who does what agents do.
  private final class Ring: @unchecked Sendable {
    let area: UnsafeMutablePointer<CordonAgentArea>
    private var reader = RecordReader()
    private(set) var lost = 0

    init() throws {
      let memory = try #require(calloc(1, Int(CORDON_AREA_SIZE)))
      area = memory.assumingMemoryBound(to: CordonAgentArea.self)
    }

    deinit { free(area) }

    /// Begins a record of this key; nil where the ring is full.
    func begin(_ key: UInt64) -> UInt64? {
      var place: UInt64 = 0
      guard cordon_area_begin_record(area, &place) != 0 else { return nil }
      cordon_area_record(area, place).pointee.key = key
      return place
    }

    func complete(_ place: UInt64) { cordon_area_complete_record(area, place) }

    /// The keys of the records that are taken.
    func take(at time: UInt64, isFinal: Bool = false) -> [UInt64] {
      var keys: [UInt64] = []
      lost = reader.take(from: area, at: time, isFinal: isFinal) { keys.append($0.key) }
      return keys
    }
  }

  @Test func aRecordThatIsBegunIsWaitedForAndThenSetAside() throws {
    let ring = try Ring()
    let places = (0..<10).compactMap { ring.begin($0) }
    for place in places where place != 3 { ring.complete(place) }
    #expect(ring.take(at: 1000) == [0, 1, 2])
    #expect(ring.take(at: 1000 + RecordReader.patience - 1) == [])
    #expect(ring.take(at: 1000 + RecordReader.patience) == [4, 5, 6, 7, 8, 9])
    #expect(ring.area.pointee.read == 10)
    #expect(ring.take(at: 1 << 40, isFinal: true) == [] && ring.lost == 1)
  }

  @Test func aThreadThatGoesOnInTimeLosesNoOrder() throws {
    let ring = try Ring()
    let places = (0..<3).compactMap { ring.begin($0) }
    for place in places.dropFirst() { ring.complete(place) }
    #expect(ring.take(at: 1000) == [])
    ring.complete(places[0])
    #expect(ring.take(at: 1 << 40) == [0, 1, 2])
    #expect(ring.take(at: 1 << 41, isFinal: true) == [] && ring.lost == 0)
  }

  /// Meanwhile its place is nobody else's, for turns on end; then it is again.
  @Test func aRecordThatIsCompleteAfterAllIsTakenOnce() throws {
    let ring = try Ring()
    let late = try #require(ring.begin(.max))
    var (time, next): (UInt64, UInt64) = (0, 0)
    /// Writes as many records as the ring has places.
    func turn() throws -> (written: [UInt64], taken: [UInt64], places: Set<UInt64>) {
      var (written, taken, places): ([UInt64], [UInt64], Set<UInt64>) = ([], [], [])
      for _ in 0..<CORDON_AREA_RECORDS {
        let place = try #require(ring.begin(next))
        ring.complete(place)
        places.insert(place % UInt64(CORDON_AREA_RECORDS))
        written.append(next)
        next += 1
        time += RecordReader.patience
        taken += ring.take(at: time)
      }
      return (written, taken, places)
    }
    for _ in 0..<3 {
      let (written, taken, places) = try turn()
      #expect(taken == written && !places.contains(late))
    }
    ring.complete(late)
    #expect(ring.take(at: time) == [.max])
    // Whoever has looked at the ring before may still believe that this turn's or the next one's place is there to be taken.
    let last = ring.area.pointee.written + UInt64(CORDON_AREA_RECORDS)
    let state = cordon_record_load_state(cordon_area_record(ring.area, late))
    #expect(state >= cordon_record_state(last, CordonRecordComplete))
    let (written, taken, _) = try turn()
    #expect(taken == written)
    #expect(try (0..<3).map { _ in try turn().places.contains(late) }.last == true)
    #expect(ring.take(at: time, isFinal: true) == [] && ring.lost == 0)
  }

  @Test func whatIsBegunWhenAllIsOverIsLost() throws {
    let ring = try Ring()
    let places = (0..<2).compactMap { ring.begin($0) }
    ring.complete(places[1])
    // Killed before it has said that the place is taken.
    _ = try #require(ring.begin(2))
    ring.area.pointee.written -= 1
    #expect(ring.take(at: 1, isFinal: true) == [1] && ring.lost == 2)
    // Where somebody comes next, the ring goes on behind it.
    #expect(ring.begin(3) == 3 && ring.area.pointee.written == 4)
  }

  /// Threads that write at once, some of them slowly, under a reader that waits for nobody. They are threads of their own:
  /// tasks would have to wait until other tests leave them one.
  @Test func everyRecordIsTakenOnce() throws {
    let ring = try Ring()
    let (writers, each): (UInt64, UInt64) = (4, 60_000)
    let threads = (0..<writers).map { writer in
      TestThread {
        var (open, key): ([UInt64], UInt64) = ([], writer * each)
        while key < (writer + 1) * each {
          guard let place = ring.begin(key) else {
            sched_yield()
            continue
          }
          key += 1
          open.append(place)
          // Every 100th is complete much later than its neighbours.
          if key % 100 != 0 { ring.complete(open.removeLast()) }
          if open.count == 50 {
            open.forEach { ring.complete($0) }
            open = []
          }
        }
        open.forEach { ring.complete($0) }
        return 0
      }
    }
    var taken: [UInt64] = []
    var time: UInt64 = 0
    while taken.count < writers * each {
      time += RecordReader.patience
      let keys = ring.take(at: time)
      taken += keys
      if keys.isEmpty { sched_yield() }
    }
    threads.forEach { $0.join() }
    let isComplete = taken.sorted().elementsEqual(0..<writers * each)
    #expect(isComplete)
    #expect(ring.take(at: .max, isFinal: true) == [] && ring.lost == 0)
  }
}
