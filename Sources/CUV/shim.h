// libuv as Swift sees it, and what Swift's own module of the C library leaves out.
#pragma once

#include <malloc.h>
#include <uv.h>
