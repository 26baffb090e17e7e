// Payloads on their way to Redis and back, compressed where it helps, and on another thread where they are large. It knows no
// connection.

import PannierWire

final class PayloadPacker {
  /// From here on, in bytes of what is not compressed, it is done on the pool: the loop would stand still for 0.3 ms and more. Below,
  /// going there and back costs as much as is saved.
  static let pooledBytes = 64 << 10

  private let loop: EventLoop
  /// As deep as a value may be that a client brings.
  private let nesting: Int
  private let zstandard = Zstandard()

  init(on loop: EventLoop, nesting: Int) {
    self.loop = loop
    self.nesting = nesting
  }

  func isPooled(_ payload: [UInt8]) -> Bool { payload.count >= Self.pooledBytes }

  /// `done` is given what is stored in the payload's place; nil: nothing. At once, unless it is pooled. `smallest`: what is smaller
  /// stays as it is; nil: all does.
  func pack(_ payload: [UInt8], from smallest: Int?, _ done: @escaping ([UInt8]?) -> Void) {
    guard let smallest, payload.count >= smallest else { return done(nil) }
    guard isPooled(payload) else { return done(zstandard.compress(payload)) }
    PoolWork.run(on: loop, { Zstandard().compress(payload) }, then: done)
  }

  /// Anybody may have written into Redis, and what is no value must not come into an answer. Not for what is pooled: a
  /// megabyte takes up to 2 ms.
  func isValue(_ payload: [UInt8]) -> Bool { Self.isValue(payload, nesting) }

  /// The same for what is pooled: `done` is given the payload, or nil where it is no value.
  func verify(_ payload: [UInt8], _ done: @escaping ([UInt8]?) -> Void) {
    let nesting = nesting
    PoolWork.run(on: loop, { Self.isValue(payload, nesting) ? payload : nil }, then: done)
  }

  /// `done` is given a value of at most `limit` bytes; nil: it is none. At once, unless it is pooled.
  func unpack(_ frame: [UInt8], atMost limit: Int, _ done: @escaping ([UInt8]?) -> Void) {
    guard let bytes = Zstandard.contentBytes(of: frame, atMost: limit) else { return done(nil) }
    let nesting = nesting
    let unpack = { @Sendable (zstandard: Zstandard) in
      zstandard.decompress(frame, atMost: limit).flatMap { Self.isValue($0, nesting) ? $0 : nil }
    }
    guard bytes >= Self.pooledBytes else { return done(unpack(zstandard)) }
    PoolWork.run(on: loop, { unpack(Zstandard()) }, then: done)
  }

  private static func isValue(_ payload: [UInt8], _ nesting: Int) -> Bool {
    payload.withUnsafeBytes { isJSONValue($0, nesting: nesting) }
  }
}
