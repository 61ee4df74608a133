import Cordon
import GuestCode
import TestSupport

/// A thread that declares regions and removes them again without pause. At every `interval` changes it makes one more of the
/// pages a region, which has something attached, while there are any. Its answer is how many changes there were, or -1 if one
/// failed.
func changes(
  of guest: Guest, attachingForEvery interval: UInt64, in pages: HighPages, until stop: Signpost
) -> TestThread {
  TestThread {
    var changes: UInt64 = 0
    repeat {
      if changes.isMultiple(of: interval), changes / interval < pages.count,
        (try? pages.trap(changes / interval, in: guest.session)) == nil
      {
        return -1
      }
      guard let region = try? guest.session.mapExecutable(GuestTemplate.getpid.code),
        (try? guest.session.unmap(region)) != nil
      else { return -1 }
      changes += 1
    } while !stop.isOpen
    return Int(changes)
  }
}
