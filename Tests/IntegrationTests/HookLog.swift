import Cordon
import Glibc
import GuestCode
import TrapEngine

/// What a C hook of the guest's answers and has seen, in memory that children made by fork share with their parents.
final class HookLog: @unchecked Sendable {
  let raw: UnsafeMutablePointer<GuestHookLog>

  init() {
    raw = sharedMemory(of: GuestHookLog.self)
  }

  /// The hook to give to a session.
  func hook(_ function: @escaping CordonTrapHook = guest_hook) -> TrapHook {
    TrapHook(function: function, context: UnsafeMutableRawPointer(raw))
  }

  /// How many calls reached the hook.
  var hooked: Int { Int(raw.pointee.hooked) }

  /// How many calls with this number reached the hook.
  func calls(_ number: Int) -> Int {
    withUnsafeBytes(of: &raw.pointee.calls) { Int($0.load(fromByteOffset: number * 8, as: UInt64.self)) }
  }

  /// Has calls with this number answered by `verdict` instead of being passed through.
  func answer(_ number: Int, _ kind: CordonVerdictKind, _ value: Int = 0) {
    let verdict = CordonVerdict(kind: kind, reserved: 0, value: Int64(value))
    let offset = number * MemoryLayout<CordonVerdict>.stride
    withUnsafeMutableBytes(of: &raw.pointee.answers) {
      $0.storeBytes(of: verdict, toByteOffset: offset, as: CordonVerdict.self)
    }
  }
}

/// Zeroed memory for one value, shared with children and never freed.
func sharedMemory<Value>(of type: Value.Type) -> UnsafeMutablePointer<Value> {
  let memory = mmap(
    nil, MemoryLayout<Value>.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
  guard let memory, memory != MAP_FAILED else { preconditionFailure("mmap: \(errno)") }
  return memory.bindMemory(to: type, capacity: 1)
}

/// What the engine has counted, in more detail than a session's statistics.
func counters() -> CordonCounters {
  var counters = CordonCounters()
  cordon_engine_counters(&counters)
  return counters
}
