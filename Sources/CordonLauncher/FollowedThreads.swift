/// The threads that are traced now, by their ids: few, and each for a moment, so they are searched one after the other.
struct FollowedThreads {
  private struct Entry {
    let id: Int32
    var state: FollowedThread
  }

  private var threads: [Entry] = []

  var isEmpty: Bool { threads.isEmpty }

  subscript(id: Int32) -> FollowedThread? {
    get { threads.first { $0.id == id }?.state }
    set {
      let index = threads.firstIndex { $0.id == id }
      switch (index, newValue) {
      case (let index?, let state?): threads[index].state = state
      case (let index?, nil): threads.remove(at: index)
      case (nil, let state?): threads.append(Entry(id: id, state: state))
      case (nil, nil): break
      }
    }
  }

  /// When the first of them is to be looked at; nil where none is.
  var firstDeadline: UInt64? { threads.map(\.state.deadline).min() }

  /// Those that are to be looked at by now.
  func late(at now: UInt64) -> [Int32] { threads.filter { $0.state.deadline <= now }.map(\.id) }
}
