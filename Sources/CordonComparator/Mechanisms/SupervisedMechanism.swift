package import Cordon

/// A mechanism by which another process answers the calls.
package struct SupervisedMechanism: MeasuredMechanism {
  package let kind: SupervisionKind
  package let summary: String
  /// The words that start a supervisor; a ``SupervisionRequest``'s come after them.
  private let supervisor: [String]

  package init(_ kind: SupervisionKind, _ summary: String, supervisor: [String]) {
    self.kind = kind
    self.summary = summary
    self.supervisor = supervisor
  }

  package var name: String { kind.rawValue }

  /// A filter's listener is inherited; a tracer here holds one thread.
  package var followsThreads: Bool { kind == .notification }

  /// A notification cannot change where the caller goes on.
  package var answers: Set<GuestAnswer> {
    kind == .notification ? [.pass, .value, .error] : [.pass, .value, .error, .redirect]
  }

  package func enter(_ code: [UInt8], answer: GuestAnswer, scope: Session.Scope) throws(MeasurementError) -> Guest {
    let mapping = try CodeMapping(code)
    let start = UInt64(mapping.address)
    let supervision = try Supervision(
      kind, of: start..<start + UInt64(code.count), answer: answer, command: supervisor)
    return Guest(mapping: mapping, supervision: supervision)
  }
}
