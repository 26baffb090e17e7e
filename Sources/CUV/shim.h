// libuv as Swift sees it, and what Swift's own module of the C library leaves out.
#pragma once

#include <malloc.h>
#include <sys/socket.h>
#include <uv.h>

// Two C modules declare SOCK_…, and which of them Swift then takes it from depends on the order in which it compiles.
static inline int pannier_stream_socket_type(void) { return SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK; }
