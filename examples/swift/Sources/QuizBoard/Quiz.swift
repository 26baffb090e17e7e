// A quiz as the FastAPI application keeps it: the fields that a board shows, by the names that it has there.

import Foundation
import Hummingbird

struct Quiz: ResponseCodable, Sendable {
  var id: UUID
  var title: String
  var status: String
  var questionCount: Int
  var updatedAt: Date

  enum CodingKeys: String, CodingKey {
    case id, title, status
    case questionCount = "question_count"
    case updatedAt = "updated_at"
  }
}
