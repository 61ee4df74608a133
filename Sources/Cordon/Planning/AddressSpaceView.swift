/// What of a process's address space decides where a filter may trap more than it must. Each is asked for only where it
/// matters: the kernel has to be asked, and that takes longer than all else in a plan.
package protocol AddressSpaceView {
  /// Instruction pointers of code that is mapped now.
  var code: IntervalSet { get }
  /// Whether all of these are of code that files have: programs and libraries, and not what a program makes for itself.
  func isOfFiles(_ pointers: IntervalSet) -> Bool
  /// Instruction pointers of what the kernel is going to map next: where libraries and stacks of threads will lie.
  var next: IntervalSet { get }
  /// The part of that which is next in turn, with what is mapped beside it.
  var nearest: IntervalSet { get }
}
