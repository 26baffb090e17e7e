// One connection to Redis: opened, introduced, used in order, and ended once. It knows no key and no script, and doesn't
// open itself again.

import CHiredis
import CUV
import Glibc
import PannierDispatch

/// It keeps itself alive from `connect` until it has ended. Whoever uses it has SIGPIPE ignored, as the daemon does.
final class RedisConnection {
  typealias Done = (RedisReply) -> Void

  struct Limits {
    /// One reply with all that is in it, 64 bytes for each item counted. What is larger ends the connection.
    var maximumReplyBytes = 64 << 20
    /// Of one array.
    var maximumElements = 100_000
    /// With something in flight and no byte moved for so long it ends: the other end may be gone without a word.
    var silenceMilliseconds: UInt64 = 2000
  }

  private enum Stage { case new, resolving, connecting, greeting, ready, ending, ended }

  private let loop: EventLoop
  private let limits: Limits
  private var onEnd: (RedisEnd) -> Void
  private var onReady: () -> Void = {}
  /// Of its opening, and then of its silence; nil before, and when it has ended.
  private var timer: LoopTimer?
  /// Since when a reply has been due and nothing has moved, by the loop's time.
  private var quietSince: UInt64 = 0
  private var isLastChance = false
  private var stage = Stage.new
  private var address: RedisAddress?
  private var name = ""
  private var lookup: HostLookup?
  /// Where to try next if this fails, the last first: a name may have several addresses, and Redis listens on one.
  private var alternatives: [RedisAddress.Place] = []
  private var adapter: HiredisAdapter?
  private var waiting = ReplyQueue()
  private var command = RedisCommand()
  /// Why we ended it; nil: it was not us.
  private var reason: RedisEnd?

  /// `onEnd` is called once, after everybody who waits was told; maybe before the call returns that ended it, which can be
  /// `connect`.
  init(loop: EventLoop, limits: Limits = Limits(), onEnd: @escaping (RedisEnd) -> Void) {
    self.loop = loop
    self.limits = limits
    self.onEnd = onEnd
  }

  /// Handed over and not answered.
  var inFlight: Int { waiting.count }

  var isReady: Bool { stage == .ready }

  /// Once. `onReady` is called when commands are taken, unless it ends before. The time is for all of it: name, connection and
  /// introduction. `name` is what CLIENT LIST shows.
  func connect(
    to address: RedisAddress, name: String = "pannier", timeoutMilliseconds: UInt64, onReady: @escaping () -> Void
  ) {
    guard stage == .new else { return }
    self.address = address
    self.name = name
    self.onReady = onReady
    // The loop's time is as of the turn's beginning, which may have been long ago.
    uv_update_time(loop.loop)
    let timer = LoopTimer(on: loop)
    timer.action = { [weak self] in self?.timedOut(timeoutMilliseconds) }
    timer.start(milliseconds: timeoutMilliseconds)
    self.timer = timer
    switch address.place {
    case .unix: open(address.place)
    case .host(let host, let port):
      stage = .resolving
      // It holds on to the connection until there is a socket that does.
      lookup = HostLookup(host, on: loop) { self.resolved($0, $1, port: port) }
    }
  }

  /// `done` is called once, in the order of the commands; with `.lost` when the connection ends before the reply, and at once
  /// where there is none.
  func send(_ arguments: [[UInt8]], _ done: @escaping Done) {
    guard stage == .ready else { return done(.lost) }
    submit(arguments, done)
  }

  /// Sends what was handed over at once, not in the loop's next turn. Not inside a reply's callback.
  func flush() {
    if stage == .ready { adapter?.flush() }
  }

  /// Those who wait are told `.lost`; inside a reply's callback that is once it has returned.
  func close() { end(.closed) }

  // MARK: Opening

  /// To be tried in this order.
  func resolved(_ addresses: [String], _ fault: String, port: UInt16) {
    guard stage == .resolving else { return }
    alternatives = addresses.reversed().map { .host($0, port: port) }
    guard let first = alternatives.popLast() else { return finish(.unreachable("the host's name: \(fault)")) }
    open(first)
  }

  private func open(_ place: RedisAddress.Place) {
    stage = .connecting
    let made =
      switch place {
      case .unix(let path): redisAsyncConnectUnix(path)
      case .host(let host, let port): redisAsyncConnect(host, Int32(port))
      }
    guard let context = made else { return finish(.unreachable("out of memory")) }
    guard context.pointee.err == 0 else { return discard(context, String(cString: pannier_error_text(context))) }
    prepare(&context.pointee.c, place)
    adapter = HiredisAdapter(context, RedisReplyBuilder(limits), owner: self, on: loop)
    guard adapter != nil else { return discard(context, "its socket can't be polled") }
    redisAsyncSetConnectCallback(context) { context, status in
      borrow(context?.pointee.data, as: HiredisAdapter.self) {
        // Nothing may end the connection in here: hiredis 0.14 goes on with it. Where it failed, it ends by itself.
        if status == REDIS_OK { $0.owner?.introduce() }
      }
    }
  }

  /// hiredis leaves its sockets to whatever the process would start, and the network as much time as it likes.
  private func prepare(_ context: inout redisContext, _ place: RedisAddress.Place) {
    _ = fcntl(context.fd, F_SETFD, FD_CLOEXEC)
    guard case .host = place else { return }
    redisEnableKeepAlive(&context)
    var longest = UInt32(clamping: limits.silenceMilliseconds)
    setsockopt(context.fd, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &longest, socklen_t(MemoryLayout<UInt32>.size))
  }

  private func discard(_ context: UnsafeMutablePointer<redisAsyncContext>, _ why: String) {
    redisAsyncFree(context)
    openNext(else: why)
  }

  private func openNext(else why: String) {
    guard let next = alternatives.popLast() else { return finish(.unreachable(why)) }
    open(next)
  }

  // MARK: Introducing itself

  /// All of it in one write; the first that is refused ends the connection.
  private func introduce() {
    guard stage == .connecting, let address else { return }
    stage = .greeting
    if let password = address.password {
      let user = address.user.map { [Array($0.utf8)] } ?? []
      submit([Array("AUTH".utf8)] + user + [password.bytes]) { self.greeted("AUTH", $0) }
    }
    if address.database != 0 {
      submit([Array("SELECT".utf8), Array("\(address.database)".utf8)]) { self.greeted("SELECT", $0) }
    }
    submit([Array("CLIENT".utf8), Array("SETNAME".utf8), Array(name.utf8)]) {
      self.greeted("CLIENT SETNAME", $0)
      if self.stage == .greeting { self.becomeReady() }
    }
  }

  private func greeted(_ command: String, _ reply: RedisReply) {
    guard stage == .greeting else { return }
    switch reply {
    case .status: break
    case .error(let error): end(Self.refusal(of: command, error))
    case .lost: break
    default: end(.unacceptable("\(command) was answered with neither OK nor an error"))
    }
  }

  private static func refusal(of command: String, _ error: RedisError) -> RedisEnd {
    switch error.code {
    case .noAuthentication, .wrongPassword, .noPermission, .protected: return .denied(error)
    // What Redis before 6 says of a wrong password; but too many clients are told so in the place of any first answer.
    case .general where command == "AUTH" && !error.message.hasPrefix("max number of clients"):
      // Behind a comma it may say the arguments back.
      let message = error.message.prefix { $0 != "," }
      return .denied(RedisError(code: error.code, message: String(message)))
    default: return .refused(error, command: command)
    }
  }

  private func becomeReady() {
    stage = .ready
    timer?.stop()
    timer?.action = { [weak self] in self?.lookForSilence() }
    let ready = onReady
    onReady = {}
    ready()
  }

  private func timedOut(_ milliseconds: UInt64) {
    let doing =
      switch stage {
      case .resolving: "looking up the host's name"
      case .connecting: "connecting"
      default: "waiting for its first answers"
      }
    end(.timedOut(milliseconds: milliseconds, while: doing))
  }

  // MARK: Commands and replies

  private func submit(_ arguments: [[UInt8]], _ done: @escaping Done) {
    guard let adapter, !RedisCommand.isForbidden(arguments) else {
      return done(.error(RedisError(code: .general, message: "not a command for this connection")))
    }
    waiting.append(done)
    if waiting.count == 1 { beginQuiet() }
    adapter.builder.awaited += 1
    let isTaken = command.send(arguments, to: adapter.context) { context, reply, _ in
      // Without a reply the context is on its way out: those who wait are told in `finish`.
      guard reply != nil else { return }
      borrow(context?.pointee.data, as: HiredisAdapter.self) { $0.owner?.received() }
    }
    guard !isTaken else { return }
    adapter.builder.awaited -= 1
    waiting.popLast()?(.lost)
  }

  private func received() {
    guard let reply = adapter?.builder.take(), let done = waiting.popFirst() else { return }
    done(reply)
  }

  /// After each read, of at most 16 KiB.
  func didRead() {
    guard let adapter, let fault = adapter.builder.faultOfUnread(adapter.context.pointee.c.reader) else { return }
    end(.unacceptable(fault))
  }

  // MARK: Silence

  /// Bytes went or came: a large command or reply may be slow, and isn't silence.
  func didMove() { quietSince = uv_now(loop.loop) }

  private func beginQuiet() {
    // As of the turn's beginning it would count what this process did since.
    uv_update_time(loop.loop)
    quietSince = uv_now(loop.loop)
    if stage == .ready, let timer, !timer.isActive { timer.start(milliseconds: limits.silenceMilliseconds) }
  }

  private func lookForSilence() {
    guard stage == .ready, waiting.count > 0 else { return }
    let quiet = uv_now(loop.loop) - quietSince
    guard quiet >= limits.silenceMilliseconds else {
      isLastChance = false
      timer?.start(milliseconds: limits.silenceMilliseconds - quiet)
      return
    }
    if isLastChance { return end(.silent(milliseconds: quiet)) }
    // Where it was this process that stood still, what came meanwhile has not been read yet.
    isLastChance = true
    timer?.start(milliseconds: 1)
  }

  // MARK: Ending

  private func end(_ reason: RedisEnd) {
    guard stage != .ending, stage != .ended else { return }
    stage = .ending
    self.reason = reason
    // It comes back by `contextEnded`: at once, or after the callback that it is called from.
    if let adapter { redisAsyncFree(adapter.context) } else { finish(reason) }
  }

  /// hiredis is freeing the context, whether it was told to or found the connection broken.
  func contextEnded(_ context: UnsafeMutablePointer<redisAsyncContext>) {
    let fault = adapter?.builder.fault
    adapter = nil
    if let reason { return finish(reason) }
    if let fault { return finish(.unacceptable(fault)) }
    let why = String(cString: pannier_error_text(context))
    switch context.pointee.c.err {
    case _ where stage == .connecting: openNext(else: why)
    // Out of memory is also what the reader calls it when the shim refuses a kind of reply.
    case REDIS_ERR_PROTOCOL, REDIS_ERR_OOM: finish(.unacceptable(why))
    default: finish(.lost(why))
    }
  }

  private func finish(_ reason: RedisEnd) {
    stage = .ended
    lookup?.cancel()
    lookup = nil
    timer?.close()
    timer = nil
    onReady = {}
    while let done = waiting.popFirst() { done(.lost) }
    let onEnd = onEnd
    self.onEnd = { _ in }
    onEnd(reason)
  }
}
