import FilterCompiler
import Glibc
import LauncherShims
import SystemPackage

/// The process that becomes the program: started, under the filters, and about to execute it.
final class StartedChild {
  let process: Int32
  /// The descriptor of the listener, for somebody to own.
  let listener: Int32
  /// What the child reads until the program has taken its place, and where it leaves word.
  private let launch: UnsafeMutablePointer<CordonLaunch>
  private let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let stack: UnsafeMutableRawPointer

  private static let stackSize = 65536

  /// - Parameters:
  ///   - arguments: the program's arguments; they live as long as the child does.
  ///   - call: the address of a call that the filters exempt.
  ///   - load: the address of the agent's function that executes a program without the launcher's help.
  ///   - mask: the signal mask that the program starts with.
  ///   - meanwhile: is called once, while the child prepares itself.
  /// - Throws: ``LaunchError/machine(_:remedy:)`` where there can be no such process, or the kernel refuses the filters.
  init(
    path: UnsafePointer<CChar>, arguments: Span<UnsafeMutablePointer<CChar>?>, filters: TreeFilters, call: UInt64,
    load: UInt64, mask: UInt64, meanwhile: () -> Void
  ) throws(LaunchError) {
    guard
      let stack = mmap(
        nil, Self.stackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0),
      stack != MAP_FAILED
    else { throw .machine("no memory for a child's stack", remedy: nil) }
    self.stack = stack
    let launch = UnsafeMutablePointer<CordonLaunch>.allocate(capacity: 1)
    self.launch = launch
    self.arguments = .allocate(capacity: arguments.count + 1)
    for index in arguments.indices { (self.arguments + index).initialize(to: arguments[index]) }
    (self.arguments + arguments.count).initialize(to: nil)

    var description = CordonLaunch()
    description.path = path
    description.arguments = UnsafePointer(self.arguments)
    description.environment = UnsafePointer(environ)
    description.call = call
    description.load = load
    description.mask = mask
    launch.initialize(to: description)
    // The filters are attached, or refused, when this returns.
    process = filters.first.withKernelFilter { first in
      filters.withSecondKernelFilter { second in
        launch.pointee.first = first
        launch.pointee.second = second
        let process = cordon_launch(launch, stack + Self.stackSize)
        meanwhile()
        if process > 0 { cordon_launch_wait(launch, process) }
        return process
      }
    }
    listener = launch.pointee.listener
    guard process > 0 else {
      throw .machine("no process can be made: \(Errno(rawValue: -process))", remedy: "see `ulimit -u`")
    }
    if launch.pointee.stage != UInt32(CordonLaunchExecuting) {
      let error = launch.pointee.error
      if listener >= 0 { close(listener) }
      var status: Int32 = 0
      waitpid(process, &status, 0)
      throw Self.refusal(stage: launch.pointee.stage, Errno(rawValue: error))
    }
  }

  deinit {
    munmap(stack, Self.stackSize)
    launch.deallocate()
    arguments.deallocate()
  }

  /// Why the program could not be executed; nil where it was.
  var executionError: Errno? { launch.pointee.error == 0 ? nil : Errno(rawValue: launch.pointee.error) }

  /// Has this process be as it was where the program could not be executed.
  func returnTimers() { cordon_launch_return_timers(launch) }

  private static func refusal(stage: UInt32, _ error: Errno) -> LaunchError {
    switch (Int(stage), error) {
    case (CordonLaunchListener, .resourceBusy):
      .machine(
        "this process is under a filter with a listener already, and the kernel allows one (EBUSY)",
        remedy: "start it outside of the sandbox or the `cordon run` that it is in")
    case (CordonLaunchListener, .invalidArgument), (CordonLaunchListener, .noFunction):
      .machine(
        "this kernel has no seccomp filters with a listener (\(error))",
        remedy: "they exist since Linux 5.0; see `cordon doctor`")
    case (CordonLaunchListener, _), (CordonLaunchFilter, _):
      .machine("the kernel refuses the filter: \(error)", remedy: error.remedyForDescriptors ?? "see `cordon doctor`")
    default: .machine("the program's process cannot be prepared: \(error)", remedy: nil)
    }
  }
}

extension TreeFilters {
  fileprivate func withSecondKernelFilter<Result>(_ body: (CordonFilter) -> Result) -> Result {
    second?.withKernelFilter(body) ?? body(CordonFilter())
  }
}

extension Program {
  fileprivate func withKernelFilter<Result>(_ body: (CordonFilter) -> Result) -> Result {
    instructions.withUnsafeBytes { bytes in
      body(
        CordonFilter(
          instructions: UInt64(UInt(bitPattern: bytes.baseAddress)), count: UInt16(instructions.count)))
    }
  }
}
