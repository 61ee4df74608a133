import Cordon

// Code that makes a system call of its own: mov eax, 39 (getpid); syscall; ret
let code: [UInt8] = [0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3]

let session = try Session(mechanism: .seccomp)  // or .sudInclusive, …: nothing else changes
let guest = try session.mapExecutable(code)
try session.setHook(
  TrapHook { trap in
    trap.number == 39 ? .value(4711) : .pass
  })
try session.activate()

let getpid = unsafeBitCast(UInt(guest.range.start), to: (@convention(c) () -> Int).self)
print("the guest's getpid answers \(getpid())")
