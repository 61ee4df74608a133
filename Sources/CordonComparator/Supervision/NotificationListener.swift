import CLinux
import Glibc
import SystemPackage

/// Answers the notifications of a filter (seccomp_unotify(2)).
struct NotificationListener: ~Copyable {
  private static let receive: UInt = 0xc050_2100
  private static let send: UInt = 0xc018_2101
  /// `SECCOMP_USER_NOTIF_FLAG_CONTINUE` (Linux 5.5).
  private static let goOn: UInt32 = 1
  private static let getDescriptor = 438

  private let request: SupervisionRequest
  private let listener: Int32

  /// Takes the listener over from the supervised process (pidfd_getfd(2), Linux 5.6).
  init(_ request: SupervisionRequest, _ record: borrowing SupervisionRecord) throws(MeasurementError) {
    self.request = request
    while record.listener < 0 { usleep(100) }
    let process = linux_call(434, Int(request.process), 0, 0, 0, 0, 0)
    guard process >= 0 else { throw .unavailable("pidfd_open: \(Errno(rawValue: Int32(-process))) (Linux 5.3)") }
    let listener = linux_call(Self.getDescriptor, process, Int(record.listener), 0, 0, 0, 0)
    guard listener >= 0 else { throw .unavailable("pidfd_getfd: \(Errno(rawValue: Int32(-listener))) (Linux 5.6)") }
    self.listener = Int32(listener)
  }

  deinit { close(listener) }

  func run(_ record: borrowing SupervisionRecord) throws(MeasurementError) {
    record.isReady = true
    while true {
      // The kernel wants it to be all zeros.
      var notification = seccomp_notif()
      guard ioctl(listener, Self.receive, &notification) == 0 else {
        // The call was interrupted before it was taken, or nobody is left who could call.
        if errno == EINTR || errno == ENOENT { continue }
        return
      }
      var response = seccomp_notif_resp()
      response.id = notification.id
      switch request.answer {
      case .pass: response.flags = Self.goOn
      case .value: response.val = Int64(GuestAnswer.returned)
      case .error: response.error = -GuestAnswer.errorNumber
      case .redirect: throw .failed("a notification cannot redirect")
      }
      record.countTrapped(passed: request.answer == .pass)
      if ioctl(listener, Self.send, &response) != 0, errno != ENOENT { return }
    }
  }
}
