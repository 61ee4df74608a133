import Cordon
import Glibc
import GuestCode
import Testing

/// Calls that wait under a mask of their own, by trapped code, with SIGSYS in that mask: a handler that comes in runs
/// under the mask too, and its next trapped call must not kill.
enum WaitingCall: String, CaseIterable, Codable, Sendable {
  case rtSigsuspend, ppoll, pselect6, epollPwait, epollPwait2, ioPgetevents, ioUringEnter, ioUringEnterExtended

  /// The calls that this kernel has; what it lacks is said, with the reason.
  static let available = allCases.filter { call in
    guard call == .ioUringEnter || call == .ioUringEnterExtended else { return true }
    let parameters = UnsafeMutableRawPointer.allocate(byteCount: 120, alignment: 8)
    memset(parameters, 0, 120)
    let ring = nativeCall(Number.ioUringSetup, 1, Int(bitPattern: parameters), 0, 0)
    parameters.deallocate()
    if ring >= 0 { close(Int32(ring)) }
    if ring < 0 { print("\(call) is not tested here, since io_uring_setup fails with errno \(-ring)") }
    return ring >= 0
  }

  /// Whether it waits for the pipe.
  var isForFiles: Bool { [.ppoll, .pselect6, .epollPwait, .epollPwait2].contains(self) }

  var number: Int {
    switch self {
    case .rtSigsuspend: Number.rtSigsuspend
    case .ppoll: Number.ppoll
    case .pselect6: Number.pselect6
    case .epollPwait: Number.epollPwait
    case .epollPwait2: Number.epollPwait2
    case .ioPgetevents: Number.ioPgetevents
    case .ioUringEnter, .ioUringEnterExtended: Number.ioUringEnter
    }
  }
}

/// A pipe to wait for, and what else the calls need.
private final class Wait {
  let guest: Guest
  let readEnd: Int32
  let writeEnd: Int32
  private let poll: Int
  private var context = 0
  private let ring: Int

  init(_ guest: Guest) {
    self.guest = guest
    var ends: [Int32] = [0, 0]
    check(pipe(&ends), 0, "pipe")
    (readEnd, writeEnd) = (ends[0], ends[1])
    poll = nativeCall(Number.epollCreate1, 0, 0, 0, 0)
    // struct epoll_event is packed: EPOLLIN, and 64 bits of data.
    guest.scratch.storeBytes(of: 1, as: UInt32.self)
    guest.scratch.storeBytes(of: 0x7788, toByteOffset: 4, as: UInt64.self)
    check(nativeCall(Number.epollCtl, poll, 1, Int(readEnd), Int(bitPattern: guest.scratch)), 0, "epoll_ctl")
    memset(guest.scratch, 0, 120)
    ring = nativeCall(Number.ioUringSetup, 1, Int(bitPattern: guest.scratch), 0, 0)
    withUnsafeMutablePointer(to: &context) {
      check(nativeCall(Number.ioSetup, 8, Int(bitPattern: $0), 0, 0), 0, "io_setup")
    }
  }

  /// Waits by `call` with `mask` at `maskAddress`, until the pipe can be read, a signal comes, or `milliseconds` are over.
  func wait(_ call: WaitingCall, mask: Int, size: Int = 8, milliseconds: Int? = nil) -> Int {
    let scratch = guest.scratch
    let time = milliseconds.map { scratch.holding(timespec(tv_sec: 0, tv_nsec: $0 * 1_000_000), at: 1024) } ?? 0
    let number = call.number
    switch call {
    case .rtSigsuspend: return guest.call(number, mask, size)
    case .ppoll:
      return guest.call(
        number, scratch.holding(pollfd(fd: readEnd, events: 1, revents: 0), at: 512), 1, time, mask, size)
    case .pselect6:
      let set = scratch.holding(UInt64(1) << UInt64(readEnd), at: 512)
      let pair = scratch.holding((mask, size), at: 768)
      return guest.call(number, Int(readEnd) + 1, set, 0, 0, time, pair)
    case .epollPwait: return guest.call(number, poll, Int(bitPattern: scratch + 512), 1, milliseconds ?? -1, mask, size)
    case .epollPwait2: return guest.call(number, poll, Int(bitPattern: scratch + 512), 1, time, mask, size)
    case .ioPgetevents:
      let pair = scratch.holding((mask, size), at: 768)
      return guest.call(number, context, 1, 1, Int(bitPattern: scratch + 512), time, pair)
    case .ioUringEnter: return guest.call(number, ring, 0, 1, 1, mask, size)
    case .ioUringEnterExtended:
      let argument = scratch.holding((mask, size, time), at: 768)
      return guest.call(number, ring, 0, 1, 1 | 8, argument, 24)
    }
  }

  /// Whether the call reported the pipe.
  func found(by call: WaitingCall) -> Bool {
    switch call {
    case .rtSigsuspend, .ioPgetevents, .ioUringEnter, .ioUringEnterExtended: true
    case .ppoll: guest.scratch.read(pollfd.self, at: 512).revents == 1
    case .pselect6: guest.scratch.read(UInt64.self, at: 512) == 1 << UInt64(readEnd)
    case .epollPwait, .epollPwait2:
      guest.scratch.read(UInt32.self, at: 512) == 1
        && guest.scratch.loadUnaligned(fromByteOffset: 516, as: UInt64.self) == 0x7788
    }
  }
}

@Suite struct SignalWaits {
  /// The signal is pending, and the wait's mask lets it in: the handler runs inside the call.
  @Test(arguments: mechanisms, WaitingCall.available)
  func `a handler that comes in can make trapped calls`(_ mechanism: String, _ call: WaitingCall) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, call = call as WaitingCall] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      let wait = Wait(guest)
      try guest.activate(for: .allThreads)
      guest.setAction(SIGUSR1, guest.handler(mask: UInt64.max))
      let blocked = bit(SIGUSR1) | bit(SIGWINCH)
      guest.setMask(SIG_SETMASK, blocked)
      for round in 1...3 {
        guest.raise(SIGUSR1)
        check(delivery(SIGUSR1).count, UInt64(round - 1), "deliveries before")
        let during = ~bit(SIGUSR1)
        let mask = guest.scratch.holding(during, at: 256)
        check(wait.wait(call, mask: mask), Int(-EINTR), "the interrupted wait")
        check(delivery(SIGUSR1).count, UInt64(round), "deliveries after")
        check(delivery(SIGUSR1).answer, Int64(getpid()), "the handler's trapped call")
        check(delivery(SIGUSR1).mask, blocked, "the mask that comes back after the handler")
        check(delivery(SIGUSR1).mask_inside, everySignal & ~keptOpen(), "the handler's mask")
        check(guest.scratch.read(UInt64.self, at: 256), during, "the mask in the guest's memory")
        check(currentMask(), blocked, "the mask after")
      }
      // tgkill, the wait, and in the handler getpid and rt_sigreturn; before them rt_sigaction and rt_sigprocmask.
      check(guest.log.hooked, 2 + 3 * 4, "trapped calls")
      check(guest.log.calls(call.number), 3, "waits")
    }
  }

  @Test(arguments: mechanisms, WaitingCall.available.filter { $0 != .rtSigsuspend && $0 != .ioUringEnter })
  func `they find what they wait for, and their time ends`(_ mechanism: String, _ call: WaitingCall) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String, call = call as WaitingCall] in
      begin()
      let guest = try Guest(mechanism)
      let wait = Wait(guest)
      try guest.activate(for: .allThreads)
      let masks = [0, guest.scratch.holding(UInt64.max, at: 256), guest.scratch.holding(bit(SIGUSR1), at: 264)]
      for mask in masks {
        let nothing = call == .ioUringEnterExtended ? Int(-ETIME) : 0
        check(wait.wait(call, mask: mask, milliseconds: 5), nothing, "the wait with mask \(mask) and nothing to find")
      }
      if call.isForFiles {
        check(Glibc.write(wait.writeEnd, "!", 1), 1, "write")
        for mask in masks {
          check(wait.wait(call, mask: mask), 1, "the wait with mask \(mask)")
          #expect(wait.found(by: call), "what the wait with mask \(mask) found")
        }
      }
      check(wait.wait(call, mask: 8, milliseconds: 1), Int(-EFAULT), "a bad mask")
      check(wait.wait(call, mask: masks[1], size: 4, milliseconds: 1), Int(-EINVAL), "a bad size")
      check(currentMask(), 0, "the mask after all")
    }
  }

  /// rt_sigaction(2) with a full mask, by trapped code: the handler's trapped calls live, everything else is blocked.
  @Test(arguments: mechanisms)
  func `a handler whose mask is full`(_ mechanism: String) async {
    await #expect(processExitsWith: .success) { [mechanism = mechanism as String] in
      begin()
      let guest = try Guest(mechanism, .restorer)
      try guest.activate(for: .allThreads)
      check(guest.setAction(SIGUSR1, guest.handler(mask: UInt64.max)).result, 0, "rt_sigaction")
      guest.raise(SIGUSR1)
      check(delivery(SIGUSR1).count, 1, "deliveries")
      check(delivery(SIGUSR1).answer, Int64(getpid()), "the handler's trapped call")
      check(delivery(SIGUSR1).mask_inside, everySignal & ~keptOpen(), "the handler's mask")
      check(currentMask(), 0, "the mask after")
      let found = guest.setAction(SIGUSR1, nil).old
      check(found.handler, guest_signal_handler(), "the handler, asked for")
      check(found.mask, everySignal & ~keptOpen(), "its mask, asked for")
      let action = guest.scratch.holding(guest.handler(mask: UInt64.max))
      check(guest.call(Number.rtSigaction, Int(SIGKILL), action, 0, 8), Int(-EINVAL), "SIGKILL")
      check(guest.call(Number.rtSigaction, 65, action, 0, 8), Int(-EINVAL), "a signal that does not exist")
      check(guest.call(Number.rtSigaction, Int(SIGUSR1), action, 0, 4), Int(-EINVAL), "a bad size")
      check(guest.call(Number.rtSigaction, Int(SIGUSR1), 8, 0, 8), Int(-EFAULT), "a bad pointer")
    }
  }
}
