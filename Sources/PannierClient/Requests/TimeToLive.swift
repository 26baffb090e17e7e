// How long a value is fresh, and on what condition it is stored, as callers say it.

/// How long a value is fresh: some seconds, or without end. Where a call takes one and none is given, the namespace's
/// policy says it.
public struct TimeToLive: Sendable, Hashable {
  /// Nil: without end.
  let span: Duration?

  /// The sidecar takes at most ten years, and cuts off what is finer than a millisecond.
  public init(_ span: Duration) { self.span = span }

  private init(span: Duration?) { self.span = span }

  /// Without end, unless the policy caps it by its `max_ttl`.
  public static let unlimited = TimeToLive(span: nil)

  public static func milliseconds(_ count: Int) -> TimeToLive { TimeToLive(.milliseconds(count)) }
  public static func seconds(_ count: Double) -> TimeToLive { TimeToLive(.seconds(count)) }
  public static func minutes(_ count: Int) -> TimeToLive { TimeToLive(.seconds(60 * count)) }
  public static func hours(_ count: Int) -> TimeToLive { TimeToLive(.seconds(3600 * count)) }
  public static func days(_ count: Int) -> TimeToLive { TimeToLive(.seconds(86_400 * count)) }
}

/// When a value is stored at all.
public enum StoreCondition: Sendable, Hashable {
  /// There is no fresh value.
  case absent
  /// There is a fresh value.
  case present
  /// The value there, fresh or stale, has this version, as ``CacheEntry/version`` told it.
  case version(UInt64)
}
