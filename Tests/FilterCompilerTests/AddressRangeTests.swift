import FilterCompiler
import Testing

@Suite struct AddressRangeTests {
  @Test func isHalfOpen() throws {
    let range = try AddressRange(start: 0x1000, end: 0x2000)
    #expect(range.contains(0x1000) && range.contains(0x1fff))
    #expect(!range.contains(0xfff) && !range.contains(0x2000))
    #expect(range.length == 0x1000)
  }

  @Test func touchingRangesDoNotOverlap() throws {
    let (low, high) = (try AddressRange(start: 0, end: 8), try AddressRange(start: 8, end: 9))
    #expect(!low.overlaps(high) && !high.overlaps(low))
    let across = try AddressRange(start: 7, end: 9)
    #expect(across.overlaps(low) && low.overlaps(across) && across.overlaps(high) && across.contains(high))
  }

  @Test func refusesWhatHoldsNoByte() {
    #expect(throws: RegionError.emptyRange(at: 16)) { try AddressRange(start: 16, end: 16) }
    #expect(throws: RegionError.reversedRange(start: 17, end: 16)) { try AddressRange(start: 17, end: 16) }
  }

  @Test func readsWhatItWrites() throws {
    for (start, end): (UInt64, UInt64) in [(0, 1), (0x7f12_3456_0000, 0x7f12_3457_0000), (0, .max)] {
      let range = try AddressRange(start: start, end: end)
      #expect(try AddressRange(parsing: range.description) == range)
    }
    #expect(try AddressRange(parsing: "0x7F12-0X7f13").description == "0x7f12-0x7f13")
  }

  @Test(arguments: [
    "", "0x10", "0x10-", "-0x10", "0x10-0x20-0x30", "10-20", "0x10-20", "0x-0x1", "0x10 -0x20", "0x+1-0x20",
    "0x1g-0x20", "0x0-0x10000000000000000", "libc.so.6",
  ])
  func refusesOtherText(text: String) {
    #expect(throws: RegionError.malformedRange(text)) { try AddressRange(parsing: text) }
  }

  @Test func wellFormedTextCanStillBeBad() {
    #expect(throws: RegionError.reversedRange(start: 0x20, end: 0x10)) { try AddressRange(parsing: "0x20-0x10") }
    #expect(throws: RegionError.emptyRange(at: 0x20)) { try AddressRange(parsing: "0x20-0x20") }
  }
}
