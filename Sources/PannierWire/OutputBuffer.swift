// Bytes on their way to one connection, and the JSON writer that puts them there. It knows no answers and no sockets.

/// A growing buffer with a front that is taken away as the socket takes it.
package struct OutputBuffer: ~Copyable {
  /// What a connection's buffer holds at first, and the most it keeps once it is empty, in bytes: enough for a batch of
  /// common answers, little enough for a thousand idle connections.
  @inlinable static var keptCapacity: Int { 16 << 10 }

  // Open to inlining where the server writes: a call for each of these is a twentieth of a request.
  @usableFromInline var storage: UnsafeMutableRawPointer?
  @usableFromInline var capacity = 0
  @usableFromInline var head = 0
  @usableFromInline var tail = 0

  package init() {}

  deinit { storage?.deallocate() }

  @inlinable package var count: Int { tail &- head }
  @inlinable package var isEmpty: Bool { tail == head }

  /// What is to be written, in order.
  @inlinable package var bytes: Bytes { Bytes(start: storage.map { UnsafeRawPointer($0 + head) }, count: count) }

  /// The socket took `count` bytes from the front.
  @inlinable
  package mutating func consume(_ count: Int) {
    head &+= count
    guard head == tail else { return }
    head = 0
    tail = 0
    if capacity > Self.keptCapacity { release() }
  }

  @usableFromInline
  mutating func release() {
    storage?.deallocate()
    storage = nil
    capacity = 0
  }

  /// A place to come back to with `truncate`, as long as nothing was consumed.
  package var mark: Int { tail - head }

  /// Takes back what was appended since `mark` was read.
  package mutating func truncate(to mark: Int) { tail = head + mark }

  // MARK: Bytes

  @inline(__always)
  package mutating func append(_ byte: UInt8) {
    reserve(1).storeBytes(of: byte, as: UInt8.self)
    tail &+= 1
  }

  @inline(__always)
  package mutating func append(_ text: StaticString) {
    reserve(text.utf8CodeUnitCount).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
    tail &+= text.utf8CodeUnitCount
  }

  @inline(__always)
  package mutating func append(_ bytes: Bytes) {
    guard let start = bytes.baseAddress else { return }
    reserve(bytes.count).copyMemory(from: start, byteCount: bytes.count)
    tail &+= bytes.count
  }

  package mutating func append(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { append($0) }
  }

  /// Where the next `count` bytes go.
  @inline(__always)
  private mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
    if let storage, capacity &- tail >= count { return storage + tail }
    return grow(count)
  }

  @inline(never)
  private mutating func grow(_ count: Int) -> UnsafeMutableRawPointer {
    let used = tail - head
    let wanted = max(Self.keptCapacity, used + count)
    // Doubling keeps the copying in proportion to what is written.
    let newCapacity = wanted <= capacity - head ? capacity : max(wanted, capacity * 2)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
    if let storage {
      memory.copyMemory(from: storage + head, byteCount: used)
      storage.deallocate()
    }
    storage = memory
    capacity = newCapacity
    head = 0
    tail = used
    return memory + used
  }

  // MARK: JSON

  package mutating func append(number: Int) {
    append(number.magnitude, isNegative: number < 0)
  }

  package mutating func append(number: UInt64) { append(UInt(number), isNegative: false) }

  private mutating func append(_ magnitude: UInt, isNegative: Bool) {
    var rest = magnitude
    // 20 digits hold any 64-bit number, and one byte its sign.
    withUnsafeTemporaryAllocation(byteCount: 21, alignment: 1) { digits in
      var first = 21
      repeat {
        first -= 1
        digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest > 0
      if isNegative {
        first -= 1
        digits[first] = UInt8(ascii: "-")
      }
      append(Bytes(rebasing: digits[first...]))
    }
  }

  /// Milliseconds as a number of seconds, with as many decimals as it needs: `300`, `4.5`, `0.001`.
  package mutating func append(seconds milliseconds: Int64) {
    append(UInt(milliseconds.magnitude), parts: 1000, isNegative: milliseconds < 0)
  }

  /// Microseconds as a number of seconds.
  package mutating func append(microseconds: UInt64) { append(UInt(microseconds), parts: 1_000_000, isNegative: false) }

  /// A number counted in parts of one.
  private mutating func append(_ magnitude: UInt, parts: UInt, isNegative: Bool) {
    append(magnitude / parts, isNegative: isNegative)
    var fraction = magnitude % parts
    guard fraction > 0 else { return }
    append(UInt8(ascii: "."))
    var place = parts / 10
    while fraction > 0 {
      append(UInt8(ascii: "0") + UInt8(fraction / place))
      fraction %= place
      place /= 10
    }
  }

  package mutating func append(flag: Bool) {
    if flag { append("true") } else { append("false") }
  }

  /// A member's name, with the comma that parts it from the member before.
  package mutating func name(_ name: StaticString) {
    separate()
    append(UInt8(ascii: "\""))
    append(name)
    append("\":")
  }

  /// The same for a name made at run time.
  package mutating func name(_ name: String) {
    separate()
    append(string: name)
    append(UInt8(ascii: ":"))
  }

  /// A comma, unless an object or array has just begun, or a name awaits its value.
  package mutating func separate() {
    guard let storage, tail > head else { return }
    let last = storage.load(fromByteOffset: tail - 1, as: UInt8.self)
    if last != UInt8(ascii: "{"), last != UInt8(ascii: "["), last != UInt8(ascii: ":") { append(UInt8(ascii: ",")) }
  }

  /// A string with its quotes; `text` is UTF-8.
  package mutating func append(string text: Bytes) {
    append(UInt8(ascii: "\""))
    forEachJSONRun(of: text) { append($0) }
    append(UInt8(ascii: "\""))
  }

  package mutating func append(string text: String) {
    var text = text
    text.withUTF8 { append(string: Bytes($0)) }
  }
}
