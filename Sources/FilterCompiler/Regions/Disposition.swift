/// What becomes of a system call that is issued in a region.
public enum Disposition: Hashable, Sendable {
  /// The call happens.
  case allow
  /// The thread gets SIGSYS instead; `data` arrives as `si_errno`.
  case trap(data: UInt16)
  /// The call fails with this error number; the kernel takes numbers above 4095 for 4095.
  case errno(UInt16)
  /// The whole process dies of SIGSYS.
  case killProcess
  /// The thread dies of SIGSYS.
  case killThread
  /// The call happens and the audit log notes it.
  case log
  /// A supervisor that listens on the filter's descriptor decides.
  case notify
  /// A tracer decides, and is given these 16 bits; without one the call fails with ENOSYS.
  case trace(UInt16)
  /// Its number and arguments decide.
  indirect case policy(PolicyBody)

  /// A trap without data.
  public static let trap = Disposition.trap(data: 0)

  /// What a filter returns to the kernel for it; nil for a policy, which has an answer for each call.
  public var action: Action? {
    switch self {
    case .allow: Action(.allow)
    case .trap(let data): Action(.trap, data: data)
    case .errno(let number): Action(.errno, data: number)
    case .killProcess: Action(.killProcess)
    case .killThread: Action(.killThread)
    case .log: Action(.log)
    case .notify: Action(.notify)
    case .trace(let data): Action(.trace, data: data)
    case .policy: nil
    }
  }

  /// What a filter returns to the kernel for a call that gets it.
  public func answer(to call: SeccompData) -> Action {
    if case .policy(let body) = self { return body.policy.answer(to: call) }
    // Only a policy has no action of its own.
    return action ?? Action(.killProcess)
  }

  /// The strictest that it does to a call.
  var strictest: Action {
    if case .policy(let body) = self { return body.policy.strictest }
    return action ?? Action(.killProcess)
  }
}

extension Disposition: CustomStringConvertible {
  /// In words, as ``Action`` and ``Policy`` have them.
  public var description: String {
    if case .policy(let body) = self { return body.policy.description }
    return action?.description ?? ""
  }
}
