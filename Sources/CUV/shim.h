// libuv as Swift sees it, and what Swift cannot import by itself.
#pragma once

#include <uv.h>
