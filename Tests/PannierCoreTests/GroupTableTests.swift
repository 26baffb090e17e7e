// What folds where when a group table is full: what was cleared long ago, so that little else is void with it.

import Testing

@testable import PannierCore

@Suite struct GroupTableTests {
  private func bounds(_ table: GroupTable, _ key: String) -> ClearBounds {
    Array(key.utf8).withUnsafeBytes { table.bounds(of: $0, tags: []) }
  }

  @Test func theOldestMatchFoldsIntoAClearOfAllAsOld() {
    var table = GroupTable()
    for number in 1...GroupTable.maximumMatches {
      table.raise(.match(Array("\(number):*".utf8)), UInt64(number), soft: number == 2)
    }
    // Cleared again, and so not the oldest.
    table.raise(.match(Array("1:*".utf8)), 100, soft: false)
    #expect(bounds(table, "other") == ClearBounds())
    table.raise(.match(Array("new:*".utf8)), 101, soft: false)
    #expect(bounds(table, "other") == ClearBounds(hard: 0, soft: 2))
    table.raise(.match(Array("newer:*".utf8)), 102, soft: false)
    #expect(bounds(table, "other") == ClearBounds(hard: 3, soft: 2))
    #expect(bounds(table, "1:k").hard == 100)
    #expect(bounds(table, "new:k").hard == 101)
    #expect(bounds(table, "newer:k").hard == 102)
  }
}
