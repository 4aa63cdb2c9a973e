// reload.h: a reload of the configuration that was asked for and has not reached this session yet.
//
// pg_reload_conf() only signals the postmaster and returns; the postmaster reads the files and signals the
// sessions, each of which then reads them before its next statement. A script that names a key file, reloads,
// and registers the key, is faster than that most of the time.
#pragma once

#include "server/backend.h"

namespace envcrypt {

// ReloadPatience tells how many milliseconds a reload on its way to this session is worth waiting for: none,
// kReloadMilliseconds where PostgreSQL's configuration files are newer than what this session has read of
// them, or fewer where their times are too near to tell.
inline constexpr int kReloadMilliseconds = 5000;
[[nodiscard]] int ReloadPatience();

// AwaitReload waits at most so long for the reload, and carries it out. For functions of key administrators,
// before they look for a master key: PostgreSQL itself does so between statements only (and inside of them in
// autovacuum and replication), so nothing that sealing or opening goes through calls it.
void AwaitReload(int milliseconds);

}  // namespace envcrypt
