// Where the daemon's socket is: the flag, the environment, or the customary places. Whether anyone listens there is the
// client's to find out.

import Glibc

enum SocketPath {
  static let systemWide = "/run/pannier/pannier.sock"

  /// The path by the order that the daemon and every client keep. A variable that is set but empty counts as not set.
  static func resolve(flag: String?) throws(Failure) -> String {
    if let flag { return flag }
    if let path = try variable("PANNIER_SOCKET") { return path }
    if let directory = try variable("XDG_RUNTIME_DIR") { return "\(directory)/pannier.sock" }
    return systemWide
  }

  private static func variable(_ name: String) throws(Failure) -> String? {
    guard let pointer = getenv(name), pointer.pointee != 0 else { return nil }
    guard let value = String(validatingCString: pointer) else { throw Failure("\(name) is not UTF-8 text") }
    return value
  }
}
