import Glibc

/// A thread that sends a signal to the thread that made it.
struct SignalSender {
  fileprivate let thread: pthread_t

  func join() { pthread_join(thread, nil) }
}

private final class Errand {
  let signal: Int32
  let number: Int
  let thread: pthread_t
  let id: Int32

  init(signal: Int32, number: Int) {
    self.signal = signal
    self.number = number
    thread = pthread_self()
    id = gettid()
  }
}

/// Sends `signal` to the calling thread once that waits in the call `number`.
func signalWhenBlocked(_ signal: Int32, in number: Int) -> SignalSender {
  let errand = Unmanaged.passRetained(Errand(signal: signal, number: number))
  var thread = pthread_t()
  pthread_create(
    &thread, nil,
    { pointer in
      guard let pointer else { return nil }
      let errand = Unmanaged<Errand>.fromOpaque(pointer).takeRetainedValue()
      waitUntilBlocked(errand.id, in: errand.number)
      pthread_kill(errand.thread, errand.signal)
      return nil
    }, errand.toOpaque())
  return SignalSender(thread: thread)
}

/// Returns when the kernel shows the thread asleep in the call `number`.
func waitUntilBlocked(_ thread: Int32, in number: Int) {
  var text = [UInt8](repeating: 0, count: 64)
  let wanted = Array("\(number) ".utf8)
  while true {
    let file = open("/proc/self/task/\(thread)/syscall", O_RDONLY)
    let count = file < 0 ? 0 : read(file, &text, text.count)
    if file >= 0 { close(file) }
    if count > 0, text.starts(with: wanted) { return }
    usleep(1000)
  }
}
