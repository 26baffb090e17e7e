// A name made into addresses, on libuv's pool: hiredis would ask for them itself, and stop the loop meanwhile.

import CUV
import Glibc
import PannierDispatch

final class HostLookup {
  private let request: UnsafeMutablePointer<uv_getaddrinfo_t>
  private var done: (([String], _ fault: String) -> Void)?

  /// `done` is given addresses as digits, in the order they are to be tried; none: it says why.
  init(_ host: String, on loop: EventLoop, _ done: @escaping ([String], _ fault: String) -> Void) {
    self.done = done
    request = .allocate(capacity: 1)
    request.pointee.data = Unmanaged.passRetained(self).toOpaque()
    // Without a kind of socket it finds each address several times, which does no harm; and to name one in a file that imports
    // libuv makes it libuv's to Swift, for whoever reads SOCK_STREAM after.
    var hints = addrinfo()
    let code = uv_getaddrinfo(
      loop.loop, request,
      { request, code, found in
        guard let data = request?.pointee.data else { return }
        Unmanaged<HostLookup>.fromOpaque(data).takeRetainedValue().ended(code, found)
      }, host, nil, &hints)
    guard code < 0 else { return }
    Unmanaged.passUnretained(self).release()
    ended(code, nil)
  }

  /// Nothing is told any more.
  func cancel() {
    guard done != nil else { return }
    done = nil
    // Where it has begun it can't be stopped, and ends by itself.
    uv_cancel(UnsafeMutableRawPointer(request).assumingMemoryBound(to: uv_req_t.self))
  }

  private func ended(_ code: Int32, _ found: UnsafeMutablePointer<addrinfo>?) {
    defer { uv_freeaddrinfo(found) }
    guard let done else { return }
    self.done = nil
    guard code == 0 else { return done([], String(cString: uv_strerror(code))) }
    done(Self.addresses(found), "no address")
  }

  private static func addresses(_ found: UnsafeMutablePointer<addrinfo>?) -> [String] {
    var addresses: [String] = []
    var next = found
    while let entry = next?.pointee {
      next = entry.ai_next
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let code = getnameinfo(
        entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, Int32(NI_NUMERICHOST))
      let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if code == 0, !addresses.contains(address) { addresses.append(address) }
    }
    return addresses
  }

  deinit { request.deallocate() }
}
