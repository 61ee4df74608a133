import CLinux
import Glibc
import Synchronization
import SystemPackage

/// Memory that a supervised process and its supervisor share: whether the supervisor is ready, and what it has counted.
struct SupervisionRecord: ~Copyable {
  struct Fields: ~Copyable {
    let isReady = Atomic<Bool>(false)
    let listener = Atomic<Int32>(-1)
    let trapped = Atomic<UInt64>(0)
    let passed = Atomic<UInt64>(0)
  }

  /// The descriptor by which the other process finds the memory; it is inherited over exec.
  let descriptor: Int32
  private let fields: UnsafeMutablePointer<Fields>
  private let isOwner: Bool

  /// Makes the memory.
  init() throws(MeasurementError) {
    let made = "cordon-supervision".withCString {
      linux_call(Int(SYS_memfd_create), Int(bitPattern: $0), 0, 0, 0, 0, 0)
    }
    descriptor = Int32(truncatingIfNeeded: made)
    guard made >= 0, ftruncate(descriptor, off_t(MemoryLayout<Fields>.size)) == 0 else {
      throw .failed("no memory to share with a supervisor: \(Errno(rawValue: errno))")
    }
    fields = try Self.map(descriptor)
    fields.initialize(to: Fields())
    isOwner = true
  }

  /// Finds the memory that the supervised process made.
  init(inherited descriptor: Int32) throws(MeasurementError) {
    self.descriptor = descriptor
    fields = try Self.map(descriptor)
    isOwner = false
  }

  private static func map(_ descriptor: Int32) throws(MeasurementError) -> UnsafeMutablePointer<Fields> {
    let size = MemoryLayout<Fields>.size
    guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
      throw .failed("no memory to share with a supervisor: \(Errno(rawValue: errno))")
    }
    return base.bindMemory(to: Fields.self, capacity: 1)
  }

  deinit {
    munmap(fields, MemoryLayout<Fields>.size)
    if isOwner { close(descriptor) }
  }

  var isReady: Bool {
    get { fields.pointee.isReady.load(ordering: .acquiring) }
    nonmutating set { fields.pointee.isReady.store(newValue, ordering: .releasing) }
  }

  /// The number of the filter's listener in the supervised process; -1 until there is one.
  var listener: Int32 {
    get { fields.pointee.listener.load(ordering: .acquiring) }
    nonmutating set { fields.pointee.listener.store(newValue, ordering: .releasing) }
  }

  func countTrapped(passed: Bool) {
    fields.pointee.trapped.wrappingAdd(1, ordering: .relaxed)
    if passed { fields.pointee.passed.wrappingAdd(1, ordering: .relaxed) }
  }

  /// What has been counted.
  var counts: ExpectedTraps.Counts {
    let trapped = fields.pointee.trapped.load(ordering: .acquiring)
    return ExpectedTraps.Counts(
      traps: trapped, hooked: trapped, passed: fields.pointee.passed.load(ordering: .acquiring))
  }
}
