import Glibc
import LauncherShims
import SystemPackage

/// The listener of a filter: calls wait there for an answer (seccomp_unotify(2)).
struct Listener: ~Copyable {
  let descriptor: Int32

  init(adopting descriptor: Int32) {
    self.descriptor = descriptor
    cordon_listener_stay_near(descriptor)
  }

  deinit { close(descriptor) }

  /// The next call that waits; nil where it was given up meanwhile.
  func receive() -> CordonNotification? {
    var notification = CordonNotification()
    return cordon_listener_receive(descriptor, &notification) == 0 ? notification : nil
  }

  /// Lets the call happen. A call that was given up meanwhile needs no answer.
  func proceed(_ notification: CordonNotification) { _ = cordon_listener_continue(descriptor, notification.id) }

  /// Has the call fail.
  func refuse(_ notification: CordonNotification, _ error: Errno) {
    _ = cordon_listener_refuse(descriptor, notification.id, error.rawValue)
  }

  /// Has the call answer a copy of `descriptor` in the table of the one who called, who has one thread: a limit on
  /// descriptors does not stand in the way.
  func give(_ notification: CordonNotification, _ descriptor: Int32) throws(Errno) {
    var result = cordon_listener_give(self.descriptor, notification.id, descriptor)
    if result == -Int(EMFILE) {
      result = cordon_listener_give_one_more(self.descriptor, notification.id, notification.thread, descriptor)
    }
    guard result == 0 else { throw Errno(rawValue: Int32(-result)) }
  }

  /// Whether nobody is under the filter any more.
  var isAbandoned: Bool {
    var state = pollfd(fd: descriptor, events: 0, revents: 0)
    return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLHUP) != 0
  }
}
