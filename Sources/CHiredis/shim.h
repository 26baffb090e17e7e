// hiredis as Swift sees it, and the few places where 0.14 (Debian 12) and 1.x differ in their types.
#pragma once

#include <hiredis/async.h>

// What hiredis is given in place of each reply: it may ask for its type, and never does more with it.
static inline void *pannier_reply_token(void) {
  static redisReply token = {.type = REDIS_REPLY_NIL};
  return &token;
}

#if HIREDIS_MAJOR >= 1
static inline void *pannier_no_double(const redisReadTask *task, double value, char *text, size_t length) {
  (void)task, (void)value, (void)text, (void)length;
  return NULL;
}

static inline void *pannier_no_bool(const redisReadTask *task, int value) {
  (void)task, (void)value;
  return NULL;
}
#endif

// 1.x also reads RESP3, which nobody asked the server for: a kind that RESP2 doesn't have ends the connection.
static inline void pannier_refuse_resp3(redisReplyObjectFunctions *functions) {
#if HIREDIS_MAJOR >= 1
  functions->createDouble = pannier_no_double;
  functions->createBool = pannier_no_bool;
#else
  (void)functions;
#endif
}

// The type of the item that has been begun and not ended; -1: its first byte isn't there yet; 0: between replies.
static inline int pannier_unfinished_type(const redisReader *reader) {
  if (reader->ridx < 0) return 0;
#if HIREDIS_MAJOR >= 1
  return reader->task[reader->ridx]->type;
#else
  return reader->rstack[reader->ridx].type;
#endif
}

static inline const char *pannier_error_text(const redisAsyncContext *context) { return context->c.errstr; }
