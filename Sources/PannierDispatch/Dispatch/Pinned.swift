// Keeps what a request changes many times out of the reach of run-time access checks. It knows nothing of what it keeps.

/// A value at a place of its own. Swift checks each change of a class's stored property at run time, at some hundred
/// instructions a time, a third of a whole request's; a change at a place behind a pointer it doesn't. One thread and no
/// re-entrance take their place: nothing that changes such a value calls back into its owner.
package struct Pinned<Value: ~Copyable>: ~Copyable {
  @usableFromInline let place: UnsafeMutablePointer<Value>

  @inlinable
  package init(_ value: consuming Value) {
    place = .allocate(capacity: 1)
    place.initialize(to: value)
  }

  @inlinable
  deinit {
    place.deinitialize(count: 1)
    place.deallocate()
  }

  /// By its address: through `_read` and `_modify` each use in another module would cost an allocation.
  @inlinable package var value: Value {
    @inline(__always) unsafeAddress { UnsafePointer(place) }
    @inline(__always) nonmutating unsafeMutableAddress { place }
  }
}
