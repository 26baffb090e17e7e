// The board's routes: what it shows of the quizzes that the FastAPI application has in the cache, and what it ends there. It has no
// database.

import Foundation
import Hummingbird
import PannierClient

struct Board: Sendable {
  /// As `get_quiz_by_id` keeps it there, by `key="{quiz_id}"`. That a quiz doesn't exist is kept, too, as null.
  let quizzes: CacheNamespace<Quiz?>

  init(_ pannier: PannierClient) { quizzes = pannier.namespace("quizzes") }

  var routes: RouteCollection<BasicRequestContext> {
    let routes = RouteCollection(context: BasicRequestContext.self)
    routes.get("board/hit-rate") { _, _ in try await hitRate() }
    routes.get("board/{id}") { _, context in try await show(context.parameters.require("id", as: UUID.self)) }
    routes.delete("board/{id}") { _, context in try await forget(context.parameters.require("id", as: UUID.self)) }
    return routes
  }

  private func show(_ id: UUID) async throws -> Quiz {
    switch try await quizzes.get("\(id)") {
    case .some(let quiz?): return quiz
    case .some(nil): throw HTTPError(.notFound, message: "there is no such quiz")
    case nil: throw HTTPError(.notFound, message: "nobody has read it lately")
    }
  }

  /// Its tag is on all that shows it: the quiz, and its whole answers. The application reads it anew.
  private func forget(_ id: UUID) async throws -> Ended {
    Ended(ended: try await quizzes.clear(tags: ["quiz:\(id)"]))
  }

  private func hitRate() async throws -> Rate { Rate(hitRate: try await quizzes.statistics()?.hitRate) }
}

struct Ended: ResponseCodable { var ended: Int }

struct Rate: ResponseCodable { var hitRate: Double? }
