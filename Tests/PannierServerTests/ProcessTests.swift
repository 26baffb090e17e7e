// What the daemon knows of its own process: descriptors and memory.
import Glibc
import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct DescriptorLimits {
  @Test(arguments: [
    (wanted: 1024, limit: 1_048_576, taken: 1024), (wanted: 1024, limit: 1048, taken: 1024),
    (wanted: 1024, limit: 1047, taken: 1023), (wanted: 200, limit: 64, taken: 40), (wanted: 1, limit: 25, taken: 1),
    (wanted: 10, limit: 24, taken: 1), (wanted: 10, limit: 0, taken: 1), (wanted: 1, limit: 3, taken: 1),
  ]) func leavesAReserve(wanted: Int, limit: Int, taken: Int) {
    let (connections, warning) = Descriptors.connections(wanted: wanted, limit: limit)
    #expect(connections == taken)
    #expect((warning != nil) == (taken < wanted))
  }

  @Test func saysHowManyAndWhy() {
    #expect(
      Descriptors.connections(wanted: 200, limit: 64).warning
        == "limits.connections is 200, but the process may open only 64 files (ulimit -Hn), of which 24 are kept for "
        + "other things: taking at most 40 connections")
  }

  @Test func theSoftLimitBecomesTheHardOne() {
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var before = rlimit()
    getrlimit(kind, &before)
    // Lower than it was, and still more than the tests that run beside this one need.
    var lowered = before
    lowered.rlim_cur = min(before.rlim_max, 1024)
    setrlimit(kind, &lowered)
    let limit = Descriptors.raiseLimit()
    var after = rlimit()
    getrlimit(kind, &after)
    #expect(after.rlim_cur == before.rlim_max)
    #expect(limit == Int(clamping: before.rlim_max))
    #expect(Descriptors.usableConnections(wanted: 8).connections == 8)
  }
}

@Suite struct ResidentMemoryTests {
  @Test func growsByWhatIsTouched() throws {
    let before = try #require(ResidentMemory.bytes())
    let size = 64 << 20
    // Not from the heap, which might hand out memory that is resident already.
    let block = try #require(mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    memset(block, 1, size)
    let after = try #require(ResidentMemory.bytes())
    munmap(block, size)
    #expect(after - before > size / 2)
    #expect(before > 1 << 20 && before < 1 << 40)
  }
}
