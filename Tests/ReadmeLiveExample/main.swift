import Cordon

// mov eax, 39 (getpid); syscall; ret
let code: [UInt8] = [0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3]
let session = try Session()
_ = try session.mapExecutable(code)
try session.setHook(TrapHook { _ in .value(4711) })
try session.activate(for: .allThreads)

for _ in 1...1000 {
  let region = try session.mapExecutable(code)
  try session.set(.allow, of: region)
  try session.unmap(region)
}
let wine = try AddressRange(start: 0x4000_0000_0000, end: 0x4000_0001_0000)
let next = try AddressRange(start: 0x4100_0000_0000, end: 0x4100_0001_0000)
print(try session.plan { $0.trap(wine) })
try session.trap(wine)
print(try session.plan { $0.trap(next) })
print(session.statistics)
