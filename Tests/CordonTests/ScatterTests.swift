import FilterCompiler
import TestSupport
import Testing

@testable import Cordon

/// Regions at addresses that somebody else has chosen, 1,000 in a row, where nothing of the program's lies: however they
/// are chosen, the changes attach four filters at most, three in most cases, and what those trap is proved.
@Suite struct ScatterTests {
  /// Where they are chosen.
  enum Choice: CaseIterable {
    case anywhere, clear, notClear, nextToLibraries, amongLibraries, inTheWideRoom, inTheNarrowRoom, nextToTheStack
    case nextToTheProgram, mixed, narrowing

    /// How many filters there are at most, that of the activation included. Five takes somebody who is elsewhere first and
    /// then closes in on where libraries go.
    var limit: Int {
      switch self {
      case .notClear, .mixed, .narrowing: 5
      default: 4
      }
    }
  }
  enum Order: CaseIterable { case asChosen, ascending, descending }

  @Test(arguments: Choice.allCases, Order.allCases)
  func `1,000 changes need three filters or four, wherever they are`(_ choice: Choice, _ order: Order) throws {
    for seed in 0..<Self.seeds {
      var process = Process(seed: seed, choice, order)
      for (number, region) in process.places.enumerated() {
        try process.trap(region, number)
        try #require(
          process.planner.filters <= choice.limit,
          "\(choice), \(order), seed \(seed): \(process.widenings), change \(number)")
      }
      if seed < 2 { try process.prove() }
    }
  }

  /// Nobody aims: what is left for libraries is left to them, in all but one of thousands of processes.
  @Test func `scattered regions leave room for libraries`() throws {
    var caught = 0
    for seed in 0..<Self.seeds {
      var process = Process(seed: seed &+ 0x5ca7, .anywhere, .asChosen)
      for (number, region) in process.places.enumerated() {
        if number.isMultiple(of: 50) { process.loadLibrary(4 << 20) }
        try process.trap(region, number)
      }
      #expect(process.planner.filters <= 4, "seed \(seed): \(process.widenings)")
      if process.libraries.contains(where: process.planner.armed.contains) { caught += 1 }
    }
    #expect(caught == 0)
  }

  /// Libraries that become regions, some of those that are loaded: the others keep their room.
  @Test func `libraries that become regions`() throws {
    for seed in 0..<Self.seeds {
      var process = Process(seed: seed &+ 0x11b, .clear, .asChosen)
      for (number, region) in process.places.prefix(20).enumerated() {
        try process.trap(region, number)
        process.loadLibrary(4 << 20)
        if number % 5 == 4 { try process.trapLibrary() }
      }
      #expect(process.planner.filters <= 4 + 4, "seed \(seed): \(process.widenings)")
      #expect(process.libraries.count { process.planner.armed.contains($0) } == 4)
    }
  }

  private static let seeds: UInt64 = 16

  /// A process as Linux lays it out, with Cordon's pages in its program, and a session's block.
  private struct Process {
    private static let page: UInt64 = 4096
    private let program: UInt64
    private let linker: UInt64
    private let stack: UInt64
    /// Below this nothing is mapped but what was chosen.
    private var lowest: UInt64
    private var code: [IntervalSet.Interval] = []
    /// That of files.
    private var files: [IntervalSet.Interval] = []
    /// The code that was mapped before the session was activated.
    private var native = IntervalSet()
    /// The calls of libraries that were loaded meanwhile.
    private(set) var libraries: [UInt64] = []
    private(set) var planner: Planner
    private var wanted: [IntervalSet.Interval]
    private(set) var widenings: [Widening] = []
    private var programs: [Program] = []
    private(set) var places: [UInt64] = []

    init(seed: UInt64, _ choice: Choice, _ order: Order) {
      var random = SplitMix64(seed: seed)
      func at(_ range: ClosedRange<UInt64>) -> UInt64 { UInt64.random(in: range, using: &random) & ~(Self.page - 1) }
      program = at(0x5555_0000_0000...0x565f_0000_0000)
      stack = at(0x7ffc_0000_0000...0x7fff_0000_0000)
      linker = stack - at(0x1_0000_0000...0x80_0000_0000)
      lowest = linker
      planner = Planner(gate: AddressRange(known: program + 0x10_0000, program + 0x11_0000))
      let block = (at(0x1100_0000_0000...0x14fe_0000_0000) >> 32) << 32
      wanted = [IntervalSet.Interval(block, block | 0xffff_ffff)]
      code = [
        IntervalSet.Interval(program + 1, program + 0x40_0000), IntervalSet.Interval(linker + 1, linker + 0x3_0000),
        IntervalSet.Interval(stack + 0x20_0001, stack + 0x20_1001),
      ]
      for size in [2, 4, 1, 30] as [UInt64] { map(size << 20, code: 1 << 20) }
      native = IntervalSet(code)
      places = (0..<1000).map { number in
        place(choice == .mixed ? Choice.allCases.randomElement(using: &random) ?? .clear : choice, number, &random)
      }
      switch order {
      case .asChosen: break
      case .ascending: places.sort()
      case .descending: places.sort(by: >)
      }
    }

    /// A page that is chosen.
    private func place(_ choice: Choice, _ number: Int, _ random: inout SplitMix64) -> UInt64 {
      let gibibyte: UInt64 = 1 << 30
      let range: ClosedRange<UInt64> =
        switch choice {
        case .anywhere, .mixed: 0x1_0000...0x7fff_ffff_0000
        case .clear: 0x10_0000_0000...0x7dff_ffff_0000
        case .notClear: 0x7e00_0000_0000...lowest - Self.page
        case .nextToLibraries: lowest - (16 << 20)...lowest - Self.page
        case .amongLibraries: lowest...linker + (16 << 20)
        case .inTheWideRoom: lowest - 3 * gibibyte...lowest - Self.page
        case .inTheNarrowRoom: lowest - (128 << 20)...lowest - Self.page
        case .nextToTheStack: stack - gibibyte...stack + gibibyte
        case .nextToTheProgram: program - gibibyte...program + gibibyte
        // From all over the address space to where the next library goes.
        case .narrowing: lowest - max(Self.page, lowest >> (UInt64(number) / 25 + 1))...lowest - Self.page
        }
      while true {
        let page = UInt64.random(in: range, using: &random) & ~(Self.page - 1)
        let pointers = IntervalSet([IntervalSet.Interval(page + 1, page + Self.page)])
        if pointers.intersection(native).isEmpty { return page }
      }
    }

    /// Maps something below all that is, as the kernel does.
    private mutating func map(_ size: UInt64, code length: UInt64) {
      lowest -= size
      code.append(IntervalSet.Interval(lowest + 1, lowest + length))
      files.append(IntervalSet.Interval(lowest + 1, lowest + length))
    }

    mutating func loadLibrary(_ size: UInt64) {
      map(size, code: 1 << 20)
      libraries.append(lowest + 0x1000)
    }

    /// Makes the code of the library that was loaded last a region.
    mutating func trapLibrary() throws {
      let pointers = IntervalSet.Interval(lowest + 2, lowest + (1 << 20))
      wanted.append(pointers)
      try attach(planner.missing(IntervalSet([pointers])))
    }

    private var view: GivenAddressSpace {
      func room(_ size: UInt64) -> IntervalSet {
        IntervalSet([IntervalSet.Interval(lowest - size, linker + (16 << 20))])
      }
      return GivenAddressSpace(
        code: IntervalSet(code), files: IntervalSet(files), next: room(3 << 30), nearest: room(128 << 20))
    }

    /// Makes a page of code a region; the first time the session is activated before.
    mutating func trap(_ page: UInt64, _ number: Int) throws {
      if number == 0 { try attach(IntervalSet(wanted)) }
      let pointers = IntervalSet.Interval(page + 2, page + Self.page)
      wanted.append(pointers)
      code.append(IntervalSet.Interval(page + 1, page + Self.page))
      try attach(planner.missing(IntervalSet([pointers])))
    }

    private mutating func attach(_ missing: IntervalSet) throws {
      guard !missing.isEmpty else { return }
      for proposal in try planner.propose(missing, wanted: { IntervalSet(wanted) }, view: view) {
        #expect(proposal.trapped.intersection(native).isEmpty)
        planner.note(proposal)
        widenings.append(proposal.widening)
        programs.append(proposal.program)
      }
    }

    /// That all filters together trap what is to trap, and nothing of Cordon's.
    func prove() throws {
      let wanted = IntervalSet(wanted)
      #expect(planner.missing(wanted).isEmpty)
      let specification = CoverageSpecification(
        trapped: wanted.intervals.map { $0.first...$0.last }, exempt: [], patterns: [], gate: planner.gate,
        trapData: Session.trapData)
      let difference = try Prover.difference(FilterStack(programs), from: specification, like: SeccompData(nr: 0))
      #expect(difference == nil)
    }
  }
}
