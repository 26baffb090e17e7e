// A shell command as a child process whose output a test reads and which it may kill.
import Glibc

final class Child {
  let pid: pid_t
  private let output: Int32
  private var isGone = false

  struct NotStarted: Error {}

  /// - Parameter argument: `$0` in the command.
  init(_ command: String, _ argument: String) throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw NotStarted() }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let words = ["sh", "-c", command, argument]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var started: pid_t = 0
    let code = posix_spawn(&started, "/bin/sh", &actions, nil, &arguments, environ)
    close(ends[1])
    pid = started
    output = ends[0]
    guard code == 0 else {
      isGone = true
      throw NotStarted()
    }
  }

  /// Waits until the child has written a line, or has ended.
  func firstLine() -> String {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while line.last != UInt8(ascii: "\n"), read(output, &byte, 1) == 1 { line.append(byte) }
    return String(decoding: line, as: UTF8.self)
  }

  /// As `kill -9` does; returns when the process is no more.
  func kill() {
    guard !isGone else { return }
    isGone = true
    Glibc.kill(pid, SIGKILL)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }

  deinit {
    kill()
    close(output)
  }
}
