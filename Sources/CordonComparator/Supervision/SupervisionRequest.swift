import Glibc

/// What a supervisor is told on its command line.
package struct SupervisionRequest: Sendable, Hashable {
  package var kind: SupervisionKind
  package var answer: GuestAnswer
  /// The process to supervise: the one that starts the supervisor.
  package var process: Int32
  /// Where the guest's code lies; addresses of instructions.
  package var guest: Range<UInt64>
  /// The number of the shared memory's descriptor, which is inherited.
  package var record: Int32

  package init(kind: SupervisionKind, answer: GuestAnswer, process: Int32, guest: Range<UInt64>, record: Int32) {
    self.kind = kind
    self.answer = answer
    self.process = process
    self.guest = guest
    self.record = record
  }

  private static let answers: [(name: String, answer: GuestAnswer)] = [
    ("pass", .pass), ("value", .value), ("error", .error), ("redirect", .redirect),
  ]

  /// The words of a command line.
  var arguments: [String] {
    [
      kind.rawValue, Self.answers.first { $0.answer == answer }?.name ?? "", "\(process)", "\(guest.lowerBound)",
      "\(guest.upperBound)", "\(record)",
    ]
  }

  /// Reads what ``arguments`` wrote; nil for anything else.
  package init?(arguments: [String]) {
    guard arguments.count == 6, let kind = SupervisionKind(rawValue: arguments[0]),
      let answer = Self.answers.first(where: { $0.name == arguments[1] })?.answer, let process = Int32(arguments[2]),
      let start = UInt64(arguments[3]), let end = UInt64(arguments[4]), start < end,
      let record = Int32(arguments[5])
    else { return nil }
    self.init(kind: kind, answer: answer, process: process, guest: start..<end, record: record)
  }

  /// Whether a call whose next instruction is this was issued by the guest.
  func isGuest(_ instructionPointer: UInt64) -> Bool {
    guest.lowerBound + 2 <= instructionPointer && instructionPointer <= guest.upperBound
  }
}
