// The least that a GET costs a process that reaches Redis as the daemon does: hiredis's async API on libuv, with the adapter that
// comes with hiredis, one command at a time. It prints the median in microseconds from the call to its reply.
//
// Usage: bare_get SOCKET PREFIX COUNT: asks for PREFIX0, PREFIX1, … and ends with 1 where one has no value.

#include <stdio.h>
#include <stdlib.h>

#include <hiredis/async.h>
#include <hiredis/adapters/libuv.h>
#include <uv.h>

static const char *prefix;
static int count;
static int asked;
static double *micros;
static uint64_t began;

static void ask(redisAsyncContext *context);

static void answered(redisAsyncContext *context, void *found, void *unused) {
  (void)unused;
  redisReply *reply = found;
  micros[asked] = (uv_hrtime() - began) / 1e3;
  if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
    fprintf(stderr, "no value under %s%d\n", prefix, asked);
    exit(1);
  }
  asked += 1;
  if (asked < count) ask(context);
  else redisAsyncDisconnect(context);
}

static void ask(redisAsyncContext *context) {
  began = uv_hrtime();
  redisAsyncCommand(context, answered, NULL, "GET %s%d", prefix, asked);
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

int main(int argc, char **argv) {
  if (argc != 4 || (count = atoi(argv[3])) < 1) {
    fprintf(stderr, "usage: bare_get SOCKET PREFIX COUNT\n");
    return 2;
  }
  prefix = argv[2];
  micros = calloc(count, sizeof *micros);
  redisAsyncContext *context = redisAsyncConnectUnix(argv[1]);
  if (micros == NULL || context == NULL || context->err) {
    fprintf(stderr, "no connection to %s\n", argv[1]);
    return 1;
  }
  redisLibuvAttach(context, uv_default_loop());
  ask(context);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  if (asked < count) {
    fprintf(stderr, "the connection ended after %d\n", asked);
    return 1;
  }
  qsort(micros, count, sizeof *micros, ascending);
  printf("%.2f\n", micros[count / 2]);
  return 0;
}
