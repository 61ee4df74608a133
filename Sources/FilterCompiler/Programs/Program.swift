/// A classic BPF program that the kernel's checks for seccomp filters accept.
public struct Program: Hashable, Sendable {
  /// The most instructions the kernel takes in one program (`BPF_MAXINSNS`).
  public static let maximumLength = 4096

  /// The instructions, 1...4096, laid out as the array of `struct sock_filter` that the kernel takes.
  public let instructions: [Instruction]

  /// A program of these instructions.
  ///
  /// - Throws: ``ProgramError`` where the kernel would refuse them.
  public init(_ instructions: [Instruction]) throws(ProgramError) {
    try Self.check(instructions)
    self.instructions = instructions
  }

  /// A program of what the compiler emitted, or what was written down by hand, which is valid by construction (the tests
  /// check every one).
  package init(emitted instructions: [Instruction]) {
    assert((try? Self.check(instructions)) != nil, "the kernel refuses the program")
    self.instructions = instructions
  }

  /// What each instruction means.
  public var operations: [Operation] {
    instructions.map { instruction in
      guard let operation = try? Operation(instruction) else {
        preconditionFailure("a program holds checked instructions only")
      }
      return operation
    }
  }
}
