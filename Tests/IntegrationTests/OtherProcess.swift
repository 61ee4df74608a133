import Glibc
import Testing

/// A process that this one makes for what its own threads cannot do: it says when it is ready, and goes on until told to end.
struct OtherProcess {
  private let id: pid_t
  /// 1: it is ready; 2: it is to end.
  private let stage = sharedMemory(of: Int32.self)

  /// nil where it could not get ready; says what is not tested then.
  /// - Parameter goesOn: asked again and again, until it says no.
  init?(elseSay what: String, getReady: () -> Bool, goesOn: () -> Bool) {
    id = fork()
    if id == 0 {
      nativeCall(Number.prctl, 1, Int(SIGKILL))  // PR_SET_PDEATHSIG
      guard getReady() else { _exit(1) }
      stage.pointee = 1
      while stage.pointee == 1, goesOn() {}
      _exit(0)
    }
    while stage.pointee == 0 {
      usleep(100)
      guard waitpid(id, nil, WNOHANG) == 0 else {
        print(what)
        return nil
      }
    }
  }

  func end() {
    stage.pointee = 2
    var status: Int32 = -1
    check(waitpid(id, &status, 0), id, "waitpid")
    check(status, 0, "how the other process ended")
  }
}
