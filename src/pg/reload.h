// reload.h: a reload of the configuration that was asked for and has not reached this session yet.
//
// pg_reload_conf() only signals the postmaster and returns; the postmaster reads the files and signals the
// sessions, each of which then reads them before its next statement. A script that names a key file, reloads,
// and registers the key, is faster than that most of the time.
#pragma once

#include "pg/backend.h"

namespace envcrypt {

// ConfigurationChanged: PostgreSQL's configuration files are newer than what this session has read of them.
[[nodiscard]] bool ConfigurationChanged();

// AwaitReload waits, at most for two seconds, for the reload on its way to this session, and carries it out.
// For functions of key administrators, before they look for a master key: PostgreSQL itself does so between
// statements only (and inside of them in autovacuum and replication), so nothing that sealing or opening goes
// through calls it.
void AwaitReload();

}  // namespace envcrypt
