import FilterCompiler

extension Session {
  /// What a session does besides trapping its regions. Each has calls trap by number and argument **wherever they come
  /// from**, which only a filter can do.
  public struct Options: OptionSet, Sendable, Hashable {
    /// A bit for each.
    public let rawValue: Int

    /// The options of these bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// SIGSYS can always be delivered, whatever native code does. A thread that traps with SIGSYS blocked, ignored or
    /// without its handler is killed by the kernel (signal(7), seccomp(2)); with this option the calls by which native code
    /// could bring that about trap too, and happen with SIGSYS left out: rt_sigaction, rt_sigprocmask, rt_sigsuspend,
    /// sigaltstack, clone3, and where they come with a mask ppoll, pselect6, epoll_pwait, epoll_pwait2, io_pgetevents and
    /// io_uring_enter. The program is told that SIGSYS is open. Without the option this holds for trapped code alone.
    ///
    /// Each of these calls costs about 1.8 us more; every other call some comparisons of its number, which cannot be told
    /// from noise (1 or 2 ns). **A program that is
    /// executed from then on dies of the first of them that it makes**, since a filter outlives exec and a handler does
    /// not (``Statistics/endangersPrograms``). Calls by `int $0x80` from native code are not looked after.
    public static let guardsSIGSYS = Options(rawValue: 1 << 0)

    /// Programs written to the interface of the memory-map RFC of 2020 run as on a kernel that has it. PROT_NOSYSCALL (0x40)
    /// in mmap(2), mprotect(2) and pkey_mprotect(2) marks memory; protection without it, munmap(2), mremap(2),
    /// mmap(2) with MAP_FIXED, shmat(2) with SHM_REMAP, shmdt(2), remap_file_pages(2) and a lower brk(2) unmark, move or
    /// replace it, in whole or in part; seccomp(2)'s operation 4 and
    /// prctl(PR_SET_SECCOMP, 3) have the marks count, and prctl(PR_GET_SECCOMP) answers 3 from then on. Whoever makes
    /// these calls: they trap before addresses are looked at. A marked call goes to the session's hook; without one, to the
    /// program's own SIGSYS handler (``Verdict/signal``), with si_errno 0. What the kernel refuses fails with its errno.
    ///
    /// Memory that the kernel may place comes to lie in the session's own block. The calls that could unmark something trap
    /// where they are about that block, or about addresses that Linux leaves unmapped by itself; so a program that marks
    /// memory nowhere else, and whoever it executes, goes on calling mmap and munmap untrapped. The first mark elsewhere
    /// attaches a filter by which all of them trap, 2 us each, and all other calls cost some 40 ns more; and programs that are executed from then on die of theirs
    /// (``Statistics/endangersPrograms``). libc unmaps the stacks of detached threads with all signals blocked, so a process
    /// that has such threads and marks memory elsewhere needs ``guardsSIGSYS`` too.
    ///
    /// A program that sets its SIGSYS handler after the session has been activated takes the session's away, as any native
    /// code would; ``guardsSIGSYS`` prevents that.
    ///
    /// What differs from the RFC: the marks count for all threads of the session, also those that were there before they
    /// were switched on; an instruction has to lie in marked memory, not the address after it. Calls by `int $0x80` are not
    /// followed: their arguments have 32 bits, so they can unmark only what lies below 4 GiB, where memory is marked by who
    /// puts it there (MAP_FIXED, MAP_32BIT) and takes it away by 64-bit calls. Nor are those of the x32 interface, which
    /// kernels have only where they are started with it, and a segment of shared memory of more than 4 GiB that begins where
    /// Linux maps by itself and reaches to where it does not. A call about marked memory, and none else, waits for changes
    /// of the session and must not be made by code that holds malloc's lock: malloc gives back the top of the heap by brk,
    /// so what is marked there has to be unmarked before it is freed.
    public static let memoryMapCalls = Options(rawValue: 1 << 1)
  }
}

extension CallPattern {
  /// Calls after which the next trap could be the end of the process.
  static let endangeringSIGSYS: [CallPattern] = {
    let (block, setMask): (UInt64, UInt64) = (0, 2)  // SIG_BLOCK, SIG_SETMASK
    let unconditional: [UInt32] = [130, 131, 435]  // rt_sigsuspend, sigaltstack, clone3
    // rt_sigaction, rt_sigprocmask, ppoll, pselect6, epoll_pwait, epoll_pwait2, io_pgetevents, io_uring_enter
    let withPointer: [(number: UInt32, argument: Int)] = [
      (13, 1), (271, 3), (270, 5), (281, 4), (441, 4), (333, 5), (426, 4),
    ]
    return unconditional.map { CallPattern($0) }
      + withPointer.map { CallPattern($0.number, where: [.given($0.argument)]) }
      + [block, setMask].map { CallPattern(14, where: [.int(0, $0), .given(1)]) }
  }()
}

extension ArgumentCondition {
  /// An argument that the kernel takes for an int.
  static func int(_ argument: Int, _ value: UInt64) -> ArgumentCondition {
    known(argument, .masked(0xffff_ffff, equal: value))
  }

  /// A pointer that is not null.
  static func given(_ argument: Int) -> ArgumentCondition { known(argument, .notEqual(0)) }

  /// One that is known to say something.
  static func known(_ argument: Int, _ test: Test) -> ArgumentCondition {
    do { return try ArgumentCondition(argument: argument, test) } catch { preconditionFailure("\(error)") }
  }
}
