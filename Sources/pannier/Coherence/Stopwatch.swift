// Time as a check measures it: from a moment on, and spent waiting.

import Glibc

/// Seconds since it was made.
struct Stopwatch {
  private let began = Self.now

  var seconds: Double { Self.now - began }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

func pause(microseconds: UInt32) { usleep(microseconds) }
