// What a line was decoded to, as text that tables can hold: requests are compared by what is in them.

@testable import PannierWire

/// Text compared byte by byte: Swift's own comparison takes two spellings of é for the same.
struct ByteText: Equatable, CustomStringConvertible, ExpressibleByStringLiteral {
  let bytes: [UInt8]

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
  init(stringLiteral text: String) { bytes = Array(text.utf8) }
  init(_ text: String) { bytes = Array(text.utf8) }

  var description: String { String(decoding: bytes, as: UTF8.self) }
}

/// The outcome of one line. `text`: the request, or the refusal's message.
struct Decoded: Equatable {
  var id: ByteText?
  var code: ErrorCode?
  var text: ByteText
}

/// A decoder as a connection has it: one for all lines.
final class LineDecoder {
  private var decoder: RequestDecoder

  init(_ limits: RequestLimits = RequestLimits()) { decoder = RequestDecoder(limits: limits) }

  func decode(_ line: some Collection<UInt8>) -> Decoded {
    var kept = KeptLine(line)
    return kept.withLine { line in
      do throws(Refusal) {
        let text = ByteText(describe(try decoder.decode(line)))
        return Decoded(id: decoder.id.map { ByteText($0) }, code: nil, text: text)
      } catch {
        return Decoded(id: decoder.id.map { ByteText($0) }, code: error.code, text: ByteText(error.message))
      }
    } ?? Decoded(id: nil, code: .internal, text: "no line")
  }

  func decode(_ line: String) -> Decoded { decode(line.utf8) }
}

func decode(_ line: String, _ limits: RequestLimits = RequestLimits()) -> Decoded { LineDecoder(limits).decode(line) }

/// `get q a stale max_age=1500`: the op, its names, then what is not as it is by default. Times in milliseconds.
private func describe(_ request: Request) -> String {
  switch request {
  case .hello: "hello"
  case .ping: "ping"
  case .get(let get):
    "get \(text(get.ns)) \(names(get.keys))\(get.lease ? " lease" : "")"
      + "\(get.waitMilliseconds.map { " wait=\($0)" } ?? "")\(get.stale ? " stale" : "")\(get.meta ? " meta" : "")"
      + "\(get.maxAgeMilliseconds.map { " max_age=\($0)" } ?? "")\(get.unless.map { " unless=\($0)" } ?? "")"
  case .set(let set):
    switch set.items {
    case .one(let item): "set \(text(set.ns)) \(describe(item))"
    case .many(let items): "set \(text(set.ns)) [\(items.map(describe).joined(separator: "; "))]"
    }
  case .release(let release):
    "release \(text(release.ns)) \(text(release.key)) \(text(release.lease)) \(release.outcome)"
      + "\(release.retryMilliseconds.map { " retry_after=\($0)" } ?? "")"
  case .delete(let delete): "delete \(text(delete.ns)) \(names(delete.keys))\(delete.soft ? " soft" : "")"
  case .touch(let touch):
    "touch \(text(touch.ns)) \(text(touch.key))\(describe(touch.ttl))\(stale(touch.staleMilliseconds))"
  case .exists(let ns, let key): "exists \(text(ns)) \(text(key))"
  case .keys(let keys):
    "keys \(text(keys.ns))\(named("match", keys.match)) limit=\(keys.limit)\(named("after", keys.after))"
  case .clear(let clear):
    "clear \(clear.ns.map(text) ?? "(all)")\(named("match", clear.match))\(tags(clear.tags))"
      + "\(clear.soft ? " soft" : "")\(clear.dryRun ? " dry_run" : "")"
  case .stats(let ns): "stats\(ns.map { " " + text($0) } ?? "")"
  case .policy(let ns, let set): "policy \(text(ns))\(named("set", set))"
  case .explain(let ns, let key): "explain \(text(ns)) \(text(key))"
  case .watch(let watch):
    "watch\(watch.ns.map { " " + text($0) } ?? "")"
      + "\(watch.events.map { " events=" + $0.map(text).joined(separator: ",") } ?? "")"
      + (watch.sample == 1 ? "" : " sample=\(watch.sample)")
  case .advance(let milliseconds): "advance \(milliseconds)"
  }
}

private func describe(_ item: Request.Item) -> String {
  let condition =
    switch item.condition {
    case .none: ""
    case .absent: " if=absent"
    case .present: " if=present"
    case .version(let version): " if=\(version)"
    }
  return "\(text(item.key))=\(text(item.value))\(describe(item.ttl))\(stale(item.staleMilliseconds))\(tags(item.tags))"
    + condition + named("lease", item.lease)
}

private func describe(_ ttl: Request.Lifetime) -> String {
  switch ttl {
  case .policy: ""
  case .unlimited: " ttl=none"
  case .milliseconds(let span): " ttl=\(span)"
  }
}

private func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

private func names(_ keys: Request.KeySelection) -> String {
  switch keys {
  case .one(let key): text(key)
  case .many(let keys): "[\(keys.map(text).joined(separator: ","))]"
  }
}

private func named(_ name: String, _ value: Bytes?) -> String { value.map { " \(name)=\(text($0))" } ?? "" }
private func stale(_ span: Int64?) -> String { span.map { " stale=\($0)" } ?? "" }
private func tags(_ tags: [Bytes]) -> String {
  tags.isEmpty ? "" : " tags=\(tags.map(text).joined(separator: ","))"
}
