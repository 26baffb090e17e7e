// A file descriptor that is closed when its owner lets go of it, on every path out of a function.
// It doesn't know what the descriptor is of.
internal import Glibc

struct OwnedDescriptor: ~Copyable {
  let number: Int32

  /// Takes what a system call returned; nil where it failed, with `errno` as the call left it.
  init?(_ result: Int32) {
    guard result >= 0 else { return nil }
    number = result
  }

  /// Hands the descriptor to somebody else, who closes it.
  consuming func release() -> Int32 {
    let released = number
    discard self
    return released
  }

  deinit { close(number) }
}
