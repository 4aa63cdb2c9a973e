// errors.h: the one place where what went wrong becomes an SQLSTATE, a message and a hint.
//
// No message holds plaintext, a key or a sealed value. Every error of ours keeps its statement and context
// out of the server log (HideFromLog): a statement that fails may well contain what was to be encrypted.
#pragma once

#include "core/keyring.h"
#include "core/status.h"

#include "server/backend.h"

namespace envcrypt {

// Class ZE is envcrypt's own (docs/reference.md).
inline constexpr int kErrNoMasterKey = MAKE_SQLSTATE('Z', 'E', '0', '0', '1');  // missing or unregistered
inline constexpr int kErrCannotOpen = MAKE_SQLSTATE('Z', 'E', '0', '0', '2');   // damaged, wrong key, foreign
inline constexpr int kErrKeyDestroyed = MAKE_SQLSTATE('Z', 'E', '0', '0', '3');  // shredded owner
inline constexpr int kErrNoDataKey = MAKE_SQLSTATE('Z', 'E', '0', '0', '4');  // no key, and none may be made

// HideFromLog is an auxiliary of ereport.
inline int HideFromLog() {
    errhidestmt(true);
    return errhidecontext(true);
}

// RaiseStatus raises what `status`, which is not kOk, means for work on a value or key.
[[noreturn]] void RaiseStatus(Status status);

// WarnOfMissingAlgorithms says at load what RaiseStatus would say at the first use: sealing must not keep the
// server, or a session, from starting.
void WarnOfMissingAlgorithms();

// MissingAlgorithms lists them, palloc'd, or returns nullptr.
char *MissingAlgorithms();

// RaiseCannotOpen is the one error of every sealed value that does not open. `why` and the key id go to the
// log only.
[[noreturn]] void RaiseCannotOpen(const char *why, std::uint64_t key_id);

[[noreturn]] void RaiseKeyDestroyed(std::uint64_t key_id);

// RaiseTooLong: `bytes` is more than a value of `maximum` bytes.
[[noreturn]] void RaiseTooLong(std::size_t bytes, std::size_t maximum);

[[noreturn]] void RaiseCannotIndex();

// RaiseMisplaced: a value that is not sealed for where it is to be stored, from a role that may not open it.
[[noreturn]] void RaiseMisplaced();

// RaiseSealedAsPlaintext: a sealed value came where plaintext was to be sealed as `type`.
[[noreturn]] void RaiseSealedAsPlaintext(Oid type);

// FingerprintHex returns a palloc'd string of 32 hex digits. Fingerprints are not secret.
char *FingerprintHex(const Fingerprint &fingerprint);

// KeyringFault describes why a keyring's text is refused, without showing any of it. palloc'd.
char *KeyringFault(Status status);

// HintOnPurpose is an errhint() for what may destroy keys or values: `otherwise`, a sentence, and how it is
// done on purpose.
int HintOnPurpose(const char *otherwise);

}  // namespace envcrypt
