// master_ring.h: which master keys this session has, from its own setting or from the server's file.
//
// Rings are derived when first needed and forgotten when their source changes; a changed ring empties the key
// cache. Callers have established the current role's right to use a key before they ask for the ring.
#pragma once

#include "core/keyring.h"

#include "server/backend.h"

namespace envcrypt {

enum class RingSource : std::uint8_t { kNone, kSession, kServerFile };

[[nodiscard]] RingSource EffectiveRingSource() noexcept;

// MasterRing returns the ring in force, owned here. Raises kErrNoMasterKey when there is none, and an error
// about the file when it cannot be used.
Keyring *MasterRing();

// RingForChange is MasterRing for functions of key administrators, which must not work with keys that were
// replaced a moment ago: it awaits a reload that is on its way, and raises an error where the key file was
// changed without one.
Keyring *RingForChange();

// MasterRingIfUsable is MasterRing, but nullptr where that would raise.
Keyring *MasterRingIfUsable();

// RingMayHaveChanged is one comparison: the configuration was reloaded since the server's ring was read.
[[nodiscard]] bool RingMayHaveChanged() noexcept;

// OnRingChange: what is called, and may not fail, when keys of a ring may be gone.
void OnRingChange(void (*listener)() noexcept);

// For parameter hooks; neither fails.
void ForgetSessionRing() noexcept;
void ForgetServerRing() noexcept;

}  // namespace envcrypt
