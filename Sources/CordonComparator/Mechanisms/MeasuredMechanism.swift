package import Cordon
package import FilterCompiler

/// One way to trap, as the comparator measures it. To add one: write a type in a file of its own and name it in the
/// ``Roster``.
package protocol MeasuredMechanism: Sendable {
  /// What `--mechanism` and the results call it.
  var name: String { get }
  /// What it is, in a few words for the help.
  var summary: String { get }
  /// Which answers it can give to the guest's calls; none where it cannot tell calls apart by the code that issues them.
  var answers: Set<GuestAnswer> { get }
  /// Whether one session of it takes any number of regions without trapping what lies between them.
  var takesManyRegions: Bool { get }

  /// Maps the guest's code and has its calls answered so, when the calling thread makes them. Called once in a process.
  /// A `scope` of all threads asks for more where the mechanism can be had so: threads made later and children.
  func enter(_ code: [UInt8], answer: GuestAnswer, scope: Session.Scope) throws(MeasurementError) -> Guest
  /// Traps what these regions may issue, from the calling thread on. They hold no code; what is measured are the calls
  /// beside them.
  /// - Returns: The session that counts traps, where there is one.
  func trap(_ regions: [AddressRange]) throws(MeasurementError) -> Session?
  /// Whether a session carries it.
  var hasSessions: Bool { get }
  /// A session that nothing is declared in yet; nil where no session carries the mechanism.
  func openSession() throws(MeasurementError) -> Session?
  /// Whether a guest can be entered under it. What takes only regions, or whole programs, has none.
  var takesGuests: Bool { get }
  /// Whether threads that are made after it was entered for all of them are trapped as well.
  var followsThreads: Bool { get }
  /// Whether regions can come and go under it.
  var takesChanges: Bool { get }
  /// Regions that come and go from now on, in all threads of the process. Called once in a process.
  func liveRegions() throws(MeasurementError) -> any LiveRegions
  /// The words that run a whole program under it; nil where it cannot run one.
  func command(running program: [String]) -> [String]?
}

extension MeasuredMechanism {
  package var takesManyRegions: Bool { false }
  package var answers: Set<GuestAnswer> { [.pass, .value, .error, .redirect] }
  /// The same for the calling thread alone.
  package func enter(_ code: [UInt8], answer: GuestAnswer) throws(MeasurementError) -> Guest {
    try enter(code, answer: answer, scope: .callingThread)
  }
  package var hasSessions: Bool { false }
  package func trap(_ regions: [AddressRange]) throws(MeasurementError) -> Session? {
    throw .unavailable("it takes one region only")
  }
  package func openSession() throws(MeasurementError) -> Session? { nil }
  package var takesGuests: Bool { true }
  package var followsThreads: Bool { true }
  package var takesChanges: Bool { false }
  package func liveRegions() throws(MeasurementError) -> any LiveRegions {
    throw .unavailable("its regions do not change")
  }
  package func command(running program: [String]) -> [String]? { nil }
}
