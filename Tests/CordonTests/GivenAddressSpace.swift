@testable import Cordon

/// An address space that a test has made up; nothing is mapped where it does not say so.
struct GivenAddressSpace: AddressSpaceView {
  var code = IntervalSet()
  var files = IntervalSet()
  var next = IntervalSet()
  var nearest = IntervalSet()

  func isOfFiles(_ pointers: IntervalSet) -> Bool { pointers.subtracting(files).isEmpty }
}
