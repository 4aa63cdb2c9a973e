// platform.h: what envcrypt needs of the machine. Includes nothing, so that a build for another one says this
// first.
#pragma once

static_assert(sizeof(void *) == 8,
              "envcrypt needs a 64-bit platform, on which PostgreSQL passes 8-byte values directly");
