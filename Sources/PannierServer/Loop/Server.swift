// The process around the dispatcher: its socket, its connections, its turns, its signals and its end. It decides nothing
// about the cache.

import CUV
import Glibc
package import Logging
import PannierCore
package import PannierDispatch
import PannierWire

/// One sidecar. Everything runs on the thread that calls `run`.
package final class Server {
  /// The shared memory that idle connections read into, in bytes: as much as a Unix socket holds by default.
  private static let scratchBytes = 256 << 10
  /// How long one slice of background work may take, in nanoseconds.
  static let sliceNanoseconds: UInt64 = 800_000
  /// How long a shutdown goes on serving what was under way, and how long it takes at most, in milliseconds.
  private static let drainMilliseconds: UInt64 = 50
  private static let shutdownMilliseconds: UInt64 = 4000
  /// How much later than due an expired entry may still take memory, in milliseconds.
  static let expiryDelayMilliseconds: Int64 = 100
  private static let backlog: Int32 = 4096
  /// From which size, in bytes, a block of memory is the system's own again as soon as it is free: the arena's chunks are
  /// larger, and so are the buffers of long lines.
  private static let mappedBytes: Int32 = 1 << 20

  let loop = EventLoop()
  let dispatcher: Dispatcher
  let log: Logger
  let scratch: UnsafeMutableRawBufferPointer
  private let reload: () throws(ConfigurationFaults) -> Configuration
  private var socket: SocketFile?
  private var listener: UnsafeMutablePointer<uv_pipe_t>?
  var connections: [ObjectIdentifier: Connection] = [:]
  var bySession: [ObjectIdentifier: Connection] = [:]
  var ready: [Connection] = []
  private var maximumConnections = 0
  private var access: AccessList
  private var signals: [LoopSignal] = []
  let unwritten = Pinned(TurnList())
  let expiryTimer: LoopTimer
  /// For leases, pauses and waits, which end to the millisecond; and when it is due.
  let deadlineTimer: LoopTimer
  var deadlineArmed = Int64.max
  let timesTimer: LoopTimer
  private let shutdownTimer: LoopTimer
  var redis: RedisTier?
  let queueFile: QueueFile
  /// What it has is being told, and it is not removed yet.
  var isReplaying = false
  private enum Stage { case serving, draining, ending, ended }
  private var stage = Stage.serving
  private var isOutOfTime = false

  /// `reload` reads the configuration anew, from where it came from.
  package init(
    _ configuration: Configuration, testClock: Bool, log: Logger,
    reload: @escaping () throws(ConfigurationFaults) -> Configuration
  ) {
    self.log = log
    self.reload = reload
    queueFile = QueueFile(besides: configuration.socket.path)
    access = AccessList(configuration.access)
    dispatcher = Dispatcher(
      configuration: configuration, clock: testClock ? .manual : .real,
      seed: UInt64.random(in: .min ... .max), log: log)
    // What is read to must leave the padding behind it.
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Self.scratchBytes + LineFramer.padding, alignment: 64)
    scratch = UnsafeMutableRawBufferPointer(rebasing: memory[..<Self.scratchBytes])
    expiryTimer = LoopTimer(on: loop)
    deadlineTimer = LoopTimer(on: loop)
    timesTimer = LoopTimer(on: loop)
    shutdownTimer = LoopTimer(on: loop)
    redis = configuration.redis.address.map {
      RedisTier(configuration.redis, $0, dispatcher: dispatcher, loop: loop, log: log)
    }
  }

  deinit { scratch.deallocate() }

  /// Serves until a signal ends it. Throws where the socket can't be had.
  package func run() throws(SocketFault) {
    signal(SIGPIPE, SIG_IGN)
    // Else the first large block given back raises the bound, and from then on large ones stay with the process.
    mallopt(M_MMAP_THRESHOLD, Self.mappedBytes)
    // Before anybody can find the socket: whoever does may also send a signal.
    signals = [
      LoopSignal(SIGTERM, on: loop) { [unowned self] in shutDown() },
      LoopSignal(SIGINT, on: loop) { [unowned self] in shutDown() },
      LoopSignal(SIGHUP, on: loop) { [unowned self] in reloadConfiguration() },
    ]
    do throws(SocketFault) {
      try listen()
    } catch {
      for signal in signals { signal.close() }
      throw error
    }
    dispatcher.facts = { [unowned self] in facts() }
    loop.hook(
      owner: Unmanaged.passUnretained(self).toOpaque(),
      background: { borrow($0, as: Server.self) { $0.runBackground() } },
      endOfTurn: { borrow($0, as: Server.self) { $0.endTurn() } })
    expiryTimer.action = { [unowned self] in wakeForUpkeep() }
    deadlineTimer.action = { [unowned self] in
      deadlineArmed = .max
      wakeForUpkeep()
    }
    timesTimer.action = { [unowned self] in checkTimes() }
    shutdownTimer.action = { [unowned self] in nextShutdownStep() }
    replayQueue()
    redis?.start()
    loop.run()
    socket?.withdraw()
  }

  var configuration: Configuration { dispatcher.configuration }

  // MARK: Listening

  private func listen() throws(SocketFault) {
    let wanted = configuration.limits.connections
    let usable = Descriptors.usableConnections(wanted: wanted)
    maximumConnections = usable.connections
    if let warning = usable.warning { log.warning("\(warning)") }
    let socket = try SocketFile.claim(
      path: configuration.socket.path, mode: configuration.socket.mode, group: configuration.socket.group)
    let listener = UnsafeMutablePointer<uv_pipe_t>.allocate(capacity: 1)
    uv_pipe_init(loop.loop, listener, 0)
    uv_pipe_open(listener, socket.descriptor)
    listener.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    let stream = UnsafeMutableRawPointer(listener).assumingMemoryBound(to: uv_stream_t.self)
    uv_listen(stream, Self.backlog) { stream, status in
      guard status == 0 else { return }
      borrow(stream?.pointee.data, as: Server.self) { $0.accept() }
    }
    try socket.publish()
    self.socket = socket
    self.listener = listener
    log.notice("serving", metadata: ["socket": "\(socket.path)", "memory": "\(configuration.memoryBytes)"])
  }

  private func accept() {
    guard let listener else { return }
    beginWork()
    let pipe = UnsafeMutablePointer<uv_pipe_t>.allocate(capacity: 1)
    uv_pipe_init(loop.loop, pipe, 0)
    let listening = UnsafeMutableRawPointer(listener).assumingMemoryBound(to: uv_stream_t.self)
    let accepted = UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: uv_stream_t.self)
    var descriptor: Int32 = -1
    let handle = UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: uv_handle_t.self)
    guard uv_accept(listening, accepted) == 0, uv_fileno(handle, &descriptor) == 0,
      let peer = Peer(descriptor: descriptor)
    else { return uv_close(handle) { $0?.deallocate() } }
    let session = Session(caller: Caller(pid: peer.pid, uid: peer.uid), isAdmin: access.isAdmin(peer))
    let connection = Connection(pipe, session, self)
    connections[ObjectIdentifier(connection)] = connection
    bySession[ObjectIdentifier(session)] = connection
    if connections.count == 1 { startTimes() }
    if let refusal = refusal(peer) {
      dispatcher.end(session, refusal)
      writeAtEndOfTurn(connection)
    } else {
      connection.startReading()
    }
  }

  private func refusal(_ peer: Peer) -> Refusal? {
    if !access.admits(peer) {
      log.warning("refused a peer", metadata: ["pid": "\(peer.pid)", "uid": "\(peer.uid)", "gid": "\(peer.gid)"])
      return Refusal(.forbidden, "uid \(peer.uid) may not connect (access.uids, access.gids)")
    }
    if connections.count > maximumConnections {
      return Refusal(.tooManyConnections, "\(maximumConnections) connections are open (limits.connections)")
    }
    if stage != .serving { return shuttingDown }
    return nil
  }

  func remove(_ connection: Connection) {
    connections[ObjectIdentifier(connection)] = nil
    bySession[ObjectIdentifier(connection.session)] = nil
    if connections.isEmpty {
      timesTimer.stop()
      finishIfDone()
    }
  }

  private func facts() -> ServerFacts {
    var facts = ServerFacts()
    facts.connections = connections.count
    facts.residentBytes = ResidentMemory.bytes() ?? 0
    facts.loopDelayMicroseconds = (loop.delays.quantile(0.5), loop.delays.quantile(0.99), loop.delays.max)
    facts.redis = redis?.facts
    return facts
  }

  // MARK: Reload

  private func reloadConfiguration() {
    setTime()
    do throws(ConfigurationFaults) {
      let new = try reload()
      let kept = configuration.changesThatNeedRestart(to: new)
      dispatcher.reload(new)
      access = AccessList(new.access)
      log.notice(
        "configuration reloaded", metadata: kept.isEmpty ? [:] : ["needs_restart": "\(kept.joined(separator: ","))"])
    } catch {
      for fault in error.faults { log.error("configuration not reloaded", metadata: ["fault": "\(fault)"]) }
    }
  }

  // MARK: The end

  var shuttingDown: Refusal { Refusal(.shuttingDown, "the server is shutting down; ask again later") }

  /// Nobody finds the socket any more; what has been sent is still read and answered for a moment.
  private func shutDown() {
    guard stage == .serving else { return }
    log.notice("shutting down")
    stage = .draining
    socket?.unpublish()
    shutdownTimer.start(milliseconds: Self.drainMilliseconds)
  }

  private func nextShutdownStep() {
    switch stage {
    case .draining:
      stage = .ending
      dispatcher.isLeaving = true
      closeListener()
      for connection in Array(connections.values) {
        dispatcher.endWaits(of: connection.session, shuttingDown)
        connection.leave()
        writeAtEndOfTurn(connection)
      }
      setTime()
      dispatcher.cache.drainShared(now: dispatcher.now)
      dispatcher.tellOfChange()
      write()
      shutdownTimer.start(milliseconds: Self.shutdownMilliseconds)
      finishIfDone()
    case .ending:
      isOutOfTime = true
      if !connections.isEmpty {
        log.warning("closing connections that did not read in time", metadata: ["count": "\(connections.count)"])
      }
      for connection in Array(connections.values) { connection.close() }
      finishIfDone()
    case .serving, .ended: break
    }
  }

  /// Everybody is answered, and Redis has been told of all, or can't be.
  func finishIfDone() {
    guard stage == .ending, connections.isEmpty else { return }
    let isTold = dispatcher.cache.isSharedDrained && redis?.commands?.inFlight ?? 0 == 0
    if isOutOfTime || isTold || !dispatcher.cache.isSharedUp { finish() }
  }

  private func closeListener() {
    guard let listener else { return }
    self.listener = nil
    uv_close(UnsafeMutableRawPointer(listener).assumingMemoryBound(to: uv_handle_t.self)) { $0?.deallocate() }
  }

  private func finish() {
    guard stage != .ended else { return }
    stage = .ended
    closeListener()
    // What was under way is queued with that, as a delete where its fate isn't known.
    redis?.stop()
    dispatcher.cache.sharedLost(now: dispatcher.now)
    keepQueue()
    for signal in signals { signal.close() }
    for timer in [expiryTimer, deadlineTimer, timesTimer, shutdownTimer] { timer.close() }
    loop.close()
  }
}
