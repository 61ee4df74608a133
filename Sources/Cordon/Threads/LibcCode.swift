import CordonShims
import FilterCompiler

/// The code that blocks every signal for a moment, makes calls and unblocks them: whenever it makes a thread or a process,
/// and when a thread ends.
enum LibcCode {
  /// The instruction pointers of its calls. A filter that traps none of them kills nobody in such a moment.
  static let pointers: IntervalSet = {
    let code = cordon_libc_code()
    return IntervalSet([IntervalSet.Interval(code.start + 1, code.end + 1)])
  }()
}
