// A redis-server of a test's own, on a Unix socket and on a port of the loopback, that keeps nothing.
import Glibc
import Testing

@testable import PannierDispatch
@testable import PannierServer

final class RealRedis {
  private let scratch = Scratch()
  private let child: Child
  let port: UInt16

  var pid: pid_t { child.pid }
  var socketPath: String { scratch.file("redis.sock") }

  struct NotServing: Error, CustomStringConvertible { let description: String }

  /// Returns when it takes connections. `options`: more words for its command line.
  init(_ options: String = "") throws {
    port = freePort()
    child = try Child(
      """
      exec redis-server --save '' --appendonly no --daemonize no --dir "$0" --unixsocket "$0/redis.sock" \
      --bind 127.0.0.1 --port \(port) \(options) 2>&1
      """, scratch.path)
    var log = ""
    while true {
      let line = child.firstLine()
      log += line
      if line.contains("eady to accept connections") { break }
      // Its output has ended, and with it the server.
      guard line.hasSuffix("\n") else { throw NotServing(description: log) }
    }
  }

  func address(_ database: Int = 0) throws -> RedisAddress {
    try RedisAddress("unix://\(socketPath)?db=\(database)")
  }

  func tcpAddress(_ account: String = "", host: String = "127.0.0.1") throws -> RedisAddress {
    try RedisAddress("redis://\(account)\(host):\(port)")
  }

  /// As `kill -9` does.
  func kill() { child.kill() }
}

/// A port of the loopback on which nobody listened a moment ago.
func freePort() -> UInt16 {
  let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  defer { close(made) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(made, $0, size)
      getsockname(made, $0, &size)
    }
  }
  return UInt16(bigEndian: address.sin_port)
}
