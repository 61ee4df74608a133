import Glibc
import GuestCode
import Testing
import TrapEngine

/// The kernel's struct sigaction, as rt_sigaction(2) takes it (libc's has another order and a longer mask).
struct KernelAction: Equatable {
  var handler: UInt64 = 0
  var flags: UInt64 = 0
  var restorer: UInt64 = 0
  var mask: UInt64 = 0

  static let siginfo: UInt64 = 0x4
  static let hasRestorer: UInt64 = 0x0400_0000
  static let onStack: UInt64 = 0x0800_0000
  static let restart: UInt64 = 0x1000_0000
  static let noDefer: UInt64 = 0x4000_0000
  static let resetHand: UInt64 = 0x8000_0000
}

/// The bit of a signal in the kernel's masks.
func bit(_ signal: Int32) -> UInt64 { 1 << UInt64(signal - 1) }

/// Every signal that can be blocked.
let everySignal = ~(bit(SIGKILL) | bit(SIGSTOP))

/// What trapped code does not get blocked: SIGSYS, and where threads are asked to arm themselves, the signal for that.
func keptOpen() -> UInt64 {
  let asks = Int32(cordon_requests_signal())
  return bit(SIGSYS) | (asks == 0 ? 0 : bit(asks))
}

/// Sets the calling thread's mask, libc's own signals among it.
func setSignalMask(_ mask: UInt64) {
  withUnsafePointer(to: mask) { mask in
    check(nativeCall(Number.rtSigprocmask, Int(SIG_SETMASK), Int(bitPattern: mask), 0, 8), 0, "rt_sigprocmask")
  }
}

func isBlocking(_ thread: Int32, _ signal: Int32) -> Bool { signals("SigBlk:", of: thread) & bit(signal) != 0 }
func isPending(_ thread: Int32, _ signal: Int32) -> Bool { signals("SigPnd:", of: thread) & bit(signal) != 0 }

private func signals(_ name: String, of thread: Int32) -> UInt64 {
  let line = linesOfFile("/proc/self/task/\(thread)/status").first { $0.hasPrefix(name) }
  return line.flatMap { UInt64($0.dropFirst(name.count + 1), radix: 16) } ?? 0
}

extension Guest {
  /// rt_sigaction(2) by trapped code: what it returned, and the disposition before.
  @discardableResult
  func setAction(_ signal: Int32, _ action: KernelAction?) -> (result: Int, old: KernelAction) {
    let new = action.map { scratch.holding($0) } ?? 0
    let old = scratch.holding(KernelAction(), at: 64)
    let result = call(Number.rtSigaction, Int(signal), new, old, 8)
    return (result, scratch.read(KernelAction.self, at: 64))
  }

  /// rt_sigprocmask(2) by trapped code: what it returned, and the mask before.
  @discardableResult
  func setMask(_ how: Int32, _ mask: UInt64?, size: Int = 8) -> (result: Int, old: UInt64) {
    let new = mask.map { scratch.holding($0) } ?? 0
    let old = scratch.holding(UInt64(0xdead_beef), at: 64)
    let result = call(Number.rtSigprocmask, Int(how), new, old, size)
    return (result, scratch.read(UInt64.self, at: 64))
  }

  /// The usual handler for `signal`, which makes trapped calls, with its restorer in trapped code too.
  func handler(_ address: UInt64 = guest_signal_handler(), flags: UInt64 = 0, mask: UInt64 = 0) -> KernelAction {
    guest_signals().pointee.call = function(.call, as: GuestCall.self)
    return KernelAction(
      handler: address, flags: KernelAction.siginfo | KernelAction.hasRestorer | flags,
      restorer: self.address(.restorer), mask: mask)
  }

  /// Sends a signal to the calling thread, by trapped code.
  @discardableResult
  func raise(_ signal: Int32) -> Int {
    call(Number.tgkill, Int(getpid()), Int(gettid()), Int(signal))
  }
}

/// The calling thread's mask, asked for by code that is not trapped.
func currentMask() -> UInt64 {
  var mask: UInt64 = 0
  _ = withUnsafeMutablePointer(to: &mask) { pointer in
    nativeCall(Number.rtSigprocmask, Int(SIG_BLOCK), 0, Int(bitPattern: pointer), 8)
  }
  return mask
}

/// gettid(2), by code that is not trapped.
func gettid() -> Int32 { Int32(truncatingIfNeeded: nativeCall(Number.gettid)) }

/// What the guest's handler of `signal` has found.
func delivery(_ signal: Int32) -> GuestDelivery {
  withUnsafeBytes(of: guest_signals().pointee.deliveries) {
    $0.load(fromByteOffset: Int(signal) * MemoryLayout<GuestDelivery>.stride, as: GuestDelivery.self)
  }
}
