// zstd as Swift sees it: what is stable of it, and no more.
#pragma once

#include <zstd.h>
