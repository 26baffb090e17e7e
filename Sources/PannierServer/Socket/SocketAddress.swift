// Sockets by the path they are bound to, and the addresses that such paths make.
// It doesn't know which socket is whose.
internal import CUV
internal import Glibc
internal import PannierDispatch

/// A stream socket that neither blocks nor is inherited, not yet bound.
func streamSocket(for path: String) throws(SocketFault) -> OwnedDescriptor {
  let type = pannier_stream_socket_type()
  guard let made = OwnedDescriptor(socket(AF_UNIX, type, 0)) else {
    throw .system("socket", path: path, code: errno)
  }
  return made
}

/// 0, or the number of the error.
func bindSocket(_ socket: Int32, to path: String) throws(SocketFault) -> Int32 {
  try withAddress(path) { bind(socket, $0, $1) == 0 ? 0 : errno }
}

/// 0, or the number of the error.
func connectSocket(_ socket: Int32, to path: String) throws(SocketFault) -> Int32 {
  try withAddress(path) { connect(socket, $0, $1) == 0 ? 0 : errno }
}

extension SocketDirectory {
  /// The path of `name` that leads through the open directory, whatever the directory's own path has come to mean, and
  /// however long that is. There is no bindat; /proc stands in for it.
  func address(of name: String) -> String {
    "/proc/self/fd/\(descriptor)/\(name)"
  }
}

private func withAddress(
  _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) throws(SocketFault) -> Int32 {
  let bytes = path.utf8.count
  guard bytes <= SocketRules.longestPathBytes else { throw .pathTooLong(path, bytes: bytes) }
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
  return withUnsafePointer(to: address) { whole in
    whole.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
}
