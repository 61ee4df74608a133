import AgentInterface
import LauncherShims

/// What agents do besides letting calls pass.
struct AgentDuties: OptionSet, Sendable {
  let rawValue: Int

  /// Count and time calls.
  static let accounts = AgentDuties(rawValue: CORDON_AGENT_ACCOUNTS)
  /// Leave a record of each call.
  static let logs = AgentDuties(rawValue: CORDON_AGENT_LOGS)
  /// Map modules that are to be trapped where the filter traps.
  static let places = AgentDuties(rawValue: CORDON_AGENT_PLACES)
  /// Trap by syscall user dispatch.
  static let dispatches = AgentDuties(rawValue: CORDON_AGENT_DISPATCHES)
  /// Tell threads by their thread pointers. Only where the machine ``canReadThreadPointers``.
  static let readsThreadPointers = AgentDuties(rawValue: CORDON_AGENT_READS_THREAD_POINTERS)

  /// Whether this processor and kernel let programs read them (HWCAP2_FSGSBASE; Linux 5.9).
  static var canReadThreadPointers: Bool { cordon_can_read_thread_pointers() != 0 }
}
