import Glibc

/// Gives the calling thread an alternate signal stack for good: its lowest address, and its size.
@discardableResult
func useAlternateStack(size: Int = 256 * 1024) -> (start: Int, size: Int) {
  let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  var stack = stack_t()
  stack.ss_sp = memory
  stack.ss_size = size
  sigaltstack(&stack, nil)
  return (Int(bitPattern: memory), size)
}
