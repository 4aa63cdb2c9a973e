#include "core/algorithms.h"

#include "server/errors.h"

extern "C" {
#include "access/parallel.h"
#include "lib/stringinfo.h"
}

namespace envcrypt {

constexpr const char *kOpenSslHint =
    "OpenSSL's configuration decides what there is: openssl.cnf, or the file that OPENSSL_CONF names in the "
    "server's environment. Activate a provider that has it, and restart the server.";

char *MissingAlgorithms() {
    StringInfoData list;
    initStringInfo(&list);
    for (int i = 0; i < kNeeded; i++) {
        if (IsMissing(static_cast<Needed>(i)))
            appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", AlgorithmName(static_cast<Needed>(i)));
    }
    return list.len > 0 ? list.data : nullptr;
}

void WarnOfMissingAlgorithms() {
    const char *missing = MissingAlgorithms();
    if (missing != nullptr && !IsParallelWorker())  // their leader said it
        ereport(WARNING, (errcode(ERRCODE_SYSTEM_ERROR), errmsg("OpenSSL provides no %s", missing),
                          errdetail("Encrypted values cannot be sealed or opened. All else works."),
                          errhint("%s", kOpenSslHint), HideFromLog()));
}

void RaiseStatus(Status status) {
    switch (status.code) {
        case Code::kAuthFailed:
        case Code::kUnknownFormat:
            RaiseCannotOpen("authentication failed", 0);
        case Code::kNoMemory:
            ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"), HideFromLog()));
        case Code::kNoAlgorithm:
            ereport(ERROR,
                    (errcode(ERRCODE_SYSTEM_ERROR),
                     errmsg("OpenSSL provides no %s", AlgorithmName(static_cast<Needed>(status.detail))),
                     errhint("%s", kOpenSslHint), HideFromLog()));
        default:
            ereport(ERROR,
                    (errcode(ERRCODE_INTERNAL_ERROR),
                     errmsg("cryptographic operation failed (%d)", static_cast<int>(status.code)),
                     errhint("OpenSSL refused a valid request; see whether its providers are in order."),
                     HideFromLog()));
    }
    pg_unreachable();
}

void RaiseCannotOpen(const char *why, std::uint64_t key_id) {
    ereport(ERROR,
            (errcode(kErrCannotOpen), errmsg("could not open encrypted value"),
             errdetail_log("%s; data key " INT64_FORMAT ".", why, static_cast<int64>(key_id)),
             errhint("The value or its data key is damaged or was changed, its data key is missing from "
                     "envcrypt_data_keys, or a newer envcrypt wrote it."),
             HideFromLog()));
    pg_unreachable();
}

void RaiseKeyDestroyed(std::uint64_t key_id) {
    ereport(ERROR, (errcode(kErrKeyDestroyed), errmsg("the data key of this value was destroyed"),
                    errdetail("Data key " INT64_FORMAT " belonged to an owner who was shredded.",
                              static_cast<int64>(key_id)),
                    HideFromLog()));
    pg_unreachable();
}

void RaiseTooLong(std::size_t bytes, std::size_t maximum) {
    ereport(ERROR,
            (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
             errmsg("value too long to encrypt (%zu bytes, maximum %zu)", bytes, maximum), HideFromLog()));
    pg_unreachable();
}

void RaiseCannotIndex() {
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot index a randomly encrypted column"),
             errdetail("Equal values are stored as different bytes, and their order is not stored at all."),
             errhint("Index another column, or a keyed hash of the value that the application computes."),
             HideFromLog()));
    pg_unreachable();
}

void RaiseMisplaced() {
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to store a value that was sealed for another row owner or column"),
             errhint("Give the value as plaintext, or grant envcrypt_decrypt to the role."), HideFromLog()));
    pg_unreachable();
}

void RaiseSealedAsPlaintext(Oid type) {
    ereport(
        ERROR,
        (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
         errmsg("sealed value given where type %s expects plaintext", format_type_be(type)),
         errdetail("It would have been sealed twice."),
         errhint("To restore sealed values, load them with envcrypt.io set to ciphertext, for example with "
                 "PGOPTIONS='-c envcrypt.io=ciphertext'."),
         HideFromLog()));
    pg_unreachable();
}

char *FingerprintHex(const Fingerprint &fingerprint) {
    auto *text = static_cast<char *>(palloc(2 * fingerprint.size() + 1));
    hex_encode(reinterpret_cast<const char *>(fingerprint.data()), fingerprint.size(), text);
    text[2 * fingerprint.size()] = '\0';
    return text;
}

char *KeyringFault(Status status) {
    switch (status.code) {
        case Code::kBadKeyringEntry:
            return psprintf("Entry %d is not a key: 32 bytes in base64, or 64 hexadecimal digits.",
                            static_cast<int>(status.detail));
        case Code::kTooManyKeys:
            return psprintf("A keyring holds at most %d keys.", static_cast<int>(status.detail));
        case Code::kEmptyKeyring:
            return pstrdup("It holds no key.");
        default:
            return pstrdup("Its keys could not be derived.");
    }
}

int HintOnPurpose(const char *otherwise) {
    return errhint("%s To destroy it nevertheless, a superuser runs SET envcrypt.allow_data_loss = on first.",
                   otherwise);
}

}  // namespace envcrypt
