// A thread with an umask, a working directory and capabilities of its own, so that a test can change them while others
// run beside it.
import Glibc

/// Runs `body` on a new thread and returns what it returned.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result? {
  let slot = Slot<Result>()
  let work = Work { slot.result = body() }
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
      if unshareFileSystemState() { work.body() }
      return nil
    }, Unmanaged.passRetained(work).toOpaque())
  guard code == 0 else { return nil }
  pthread_join(thread, nil)
  return slot.result
}

/// From then on the calling thread may not give files away, as if it weren't root's. Other threads still may.
func dropRightToGiveFilesAway() -> Bool {
  typealias Call = @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Int32
  guard let get = symbol("capget", as: Call.self), let set = symbol("capset", as: Call.self) else { return false }
  // struct __user_cap_header_struct, version 3, this thread; then two sets of effective, permitted, inheritable.
  var header: [UInt32] = [0x2008_0522, 0]
  var data = [UInt32](repeating: 0, count: 6)
  guard get(&header, &data) == 0 else { return false }
  data[0] &= ~1  // CAP_CHOWN
  return set(&header, &data) == 0
}

/// From then on the calling thread is in these groups, and other threads are in theirs: the call itself, for Glibc's
/// would change all threads.
func joinGroups(_ groups: [UInt32]) -> Bool {
  #if arch(x86_64)
    let number = 116
  #else
    let number = 159
  #endif
  typealias Call = @convention(c) (Int, Int, UnsafePointer<UInt32>) -> Int
  return symbol("syscall", as: Call.self)?(number, groups.count, groups) == 0
}

private final class Slot<Result> { var result: Result? }

private final class Work {
  let body: () -> Void
  init(_ body: @escaping () -> Void) { self.body = body }
}

/// unshare(CLONE_FS), which Swift's Glibc doesn't have; it takes no right.
private func unshareFileSystemState() -> Bool {
  symbol("unshare", as: (@convention(c) (Int32) -> Int32).self)?(0x200) == 0
}

private func symbol<Function>(_ name: String, as type: Function.Type) -> Function? {
  dlsym(nil, name).map { unsafeBitCast($0, to: type) }
}
