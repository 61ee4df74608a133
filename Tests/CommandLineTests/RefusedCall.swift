import CLinux
import Glibc

/// A call that a filter refuses, as containers and kernels without it do. For children that do this to themselves.
enum RefusedCall: String, Codable, Sendable {
  /// seccomp(2), with ENOSYS.
  case seccomp
  /// ptrace(2), with EPERM.
  case ptrace
  /// prctl(PR_SET_SYSCALL_USER_DISPATCH), with EINVAL.
  case dispatch

  /// Refuses it from now on, here and in what this process executes.
  func refuse() {
    let instructions: [FilterInstruction] =
      switch self {
      case .seccomp: Self.refusal(of: SYS_seccomp, error: ENOSYS)
      case .ptrace: Self.refusal(of: SYS_ptrace, error: EPERM)
      case .dispatch:
        [
          .number, .unless(UInt32(SYS_prctl), skip: 3), FilterInstruction(code: 0x20, operand: 16),
          .unless(59, skip: 1), .error(EINVAL), .allow,
        ]
      }
    FilterInstruction.load(instructions)
  }

  private static func refusal(of number: Int32, error: Int32) -> [FilterInstruction] {
    [.number, .unless(UInt32(number), skip: 1), .error(error), .allow]
  }
}

/// One instruction of classic BPF, as struct sock_filter.
struct FilterInstruction {
  var code: UInt16
  var jumpTrue: UInt8 = 0
  var jumpFalse: UInt8 = 0
  var operand: UInt32

  static let allow = FilterInstruction(code: 0x06, operand: 0x7fff_0000)
  /// Loads the call's number.
  static let number = FilterInstruction(code: 0x20, operand: 0)
  /// Skips so many instructions unless what was loaded is this.
  static func unless(_ value: UInt32, skip: UInt8) -> FilterInstruction {
    FilterInstruction(code: 0x15, jumpFalse: skip, operand: value)
  }
  static func error(_ number: Int32) -> FilterInstruction {
    FilterInstruction(code: 0x06, operand: 0x0005_0000 | UInt32(number))
  }

  /// Attaches a filter to this process; ends it where that is refused.
  static func load(_ instructions: [FilterInstruction]) {
    struct Program {
      var length: UInt16
      var instructions: UnsafePointer<FilterInstruction>?
    }
    _ = linux_call(Int(SYS_prctl), 38, 1, 0, 0, 0, 0)  // PR_SET_NO_NEW_PRIVS
    instructions.withUnsafeBufferPointer { buffer in
      let program = Program(length: UInt16(buffer.count), instructions: buffer.baseAddress)
      withUnsafePointer(to: program) { program in
        let loaded = linux_call(Int(SYS_seccomp), 1, 0, Int(bitPattern: program), 0, 0, 0)
        if loaded != 0 { exit(3) }
      }
    }
  }
}

/// Becomes another program.
func execute(_ path: String, _ arguments: String...) {
  var pointers = ([path] + arguments).map { strdup($0) } + [nil]
  execv(path, &pointers)
  exit(4)
}
