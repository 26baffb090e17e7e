// Payloads on their way to Redis and back, compressed where it helps, and on another thread where they are large. It knows no
// connection.

import PannierWire

final class PayloadPacker {
  /// From here on, in bytes of what is not compressed, it is done on the pool: the loop would stand still for 0.3 ms and more. Below,
  /// going there and back costs as much as is saved.
  static let pooledBytes = 64 << 10

  private let loop: EventLoop
  private let zstandard = Zstandard()

  init(on loop: EventLoop) { self.loop = loop }

  func isPooled(_ payload: [UInt8]) -> Bool { payload.count >= Self.pooledBytes }

  /// `done` is given what is stored in the payload's place; nil: nothing. At once, unless it is pooled.
  func pack(_ payload: [UInt8], _ done: @escaping ([UInt8]?) -> Void) {
    guard isPooled(payload) else { return done(zstandard.compress(payload)) }
    PoolWork.run(on: loop, { Zstandard().compress(payload) }, then: done)
  }

  /// `done` is given a payload of at most `limit` bytes; nil: it is none. At once, unless it is pooled.
  func unpack(_ frame: [UInt8], atMost limit: Int, _ done: @escaping ([UInt8]?) -> Void) {
    guard let bytes = Zstandard.contentBytes(of: frame, atMost: limit) else { return done(nil) }
    guard bytes >= Self.pooledBytes else { return done(Self.line(zstandard.decompress(frame, atMost: limit))) }
    PoolWork.run(on: loop, { Self.line(Zstandard().decompress(frame, atMost: limit)) }, then: done)
  }

  private static func line(_ payload: [UInt8]?) -> [UInt8]? {
    payload?.withUnsafeBytes { $0.hasLineFeed } == true ? nil : payload
  }
}
