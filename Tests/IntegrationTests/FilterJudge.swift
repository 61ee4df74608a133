import FilterCompiler
import Glibc
import SystemPackage

/// The kernel's own BPF machine as the judge of a filter: any architecture, number and address, and no privileges.
///
/// The program is attached to a datagram socket, where what it returns is how much of a datagram is let through. It is
/// given the 64 bytes of `struct seccomp_data` as the datagram; since socket filters read big-endian words and seccomp
/// filters native ones, with each word's bytes the other way round.
struct FilterJudge: ~Copyable {
  private let sender: CInt
  private let receiver: CInt
  /// Length 1 stands for the first of these, and so on; length 0 for a program that ended by dividing by zero.
  private let actions: [Action]

  /// Attaches the program, with a length in the place of each action it can return.
  ///
  /// - Throws: what the kernel says against the program.
  init(_ program: Program) throws(Errno) {
    var actions: [Action] = []
    let lengths = program.operations.map { operation -> Instruction in
      guard case .answer(let action) = operation else { return operation.instruction }
      if !actions.contains(action) { actions.append(action) }
      let length = (actions.firstIndex(of: action) ?? 0) + 1
      return Operation.answer(Action(rawValue: UInt32(length))).instruction
    }
    try self.init(attaching: lengths, actions: actions)
  }

  /// Attaches instructions as they are: the verdict is a length of 0 to 64.
  init(measuring instructions: [Instruction]) throws(Errno) {
    try self.init(attaching: instructions, actions: (1...64).map { Action(rawValue: $0) })
  }

  private init(attaching instructions: [Instruction], actions: [Action]) throws(Errno) {
    /// `struct sock_fprog`.
    struct AttachedProgram {
      let length: UInt16
      let instructions: UnsafePointer<Instruction>?
    }
    precondition(actions.count <= 64, "there are 64 lengths to tell actions by")
    var pair: [CInt] = [-1, -1]
    guard socketpair(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0, &pair) == 0 else { throw Errno(rawValue: errno) }
    let attached = instructions.withUnsafeBufferPointer { buffer in
      var program = AttachedProgram(length: UInt16(buffer.count), instructions: buffer.baseAddress)
      return setsockopt(
        pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, socklen_t(MemoryLayout<AttachedProgram>.size))
    }
    guard attached == 0 else {
      let refusal = Errno(rawValue: errno)
      close(pair[0])
      close(pair[1])
      throw refusal
    }
    sender = pair[0]
    receiver = pair[1]
    self.actions = actions
  }

  /// What the program returns for a call; action 0 where it ended by dividing by zero.
  func verdict(_ data: SeccompData) throws(Errno) -> Action {
    var datagram: [UInt8] = []
    let native = data.encoded
    for word in stride(from: 0, to: native.count, by: 4) { datagram += native[word..<word + 4].reversed() }
    guard send(sender, datagram, datagram.count, 0) == datagram.count else { throw Errno(rawValue: errno) }
    let length = recv(receiver, &datagram, datagram.count, CInt(MSG_DONTWAIT))
    // A datagram that a filter returns 0 for is tossed without a word to the sender.
    if length < 0, errno == EAGAIN { return Action(rawValue: 0) }
    guard length > 0 else { throw Errno(rawValue: errno) }
    return actions[length - 1]
  }

  deinit {
    close(sender)
    close(receiver)
  }
}
