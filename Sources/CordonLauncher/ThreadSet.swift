/// Threads by their ids: few, so they are searched one after the other. A hash table takes longer to be set up than a short
/// program runs.
struct ThreadSet {
  private var threads: [Int32] = []

  mutating func insert(_ thread: Int32) {
    if !threads.contains(thread) { threads.append(thread) }
  }

  /// Returns whether it was among them.
  mutating func remove(_ thread: Int32) -> Bool {
    guard let index = threads.firstIndex(of: thread) else { return false }
    threads.remove(at: index)
    return true
  }
}
