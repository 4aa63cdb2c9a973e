#include "server/language.h"

#include "server/rights.h"
#include "server/settings.h"
#include "server/statement_state.h"

namespace envcrypt {

bool ForcesCiphertext() {
    return SpeaksOnlyCiphertext() || settings.io == static_cast<int>(Io::kCiphertext) ||
           (settings.io == static_cast<int>(Io::kAuto) && IsDumpConnection());
}

Language InputLanguage() {
    if (ForcesCiphertext())
        return Language::kCiphertext;
    if (settings.io == static_cast<int>(Io::kPlaintext))
        return Language::kPlaintext;
    return MaySeal() || MayOpen() ? Language::kPlaintext : Language::kCiphertext;
}

Language OutputLanguage() {
    if (ForcesCiphertext())
        return Language::kCiphertext;
    if (settings.io == static_cast<int>(Io::kPlaintext))
        return Language::kPlaintext;
    return MayOpen() ? Language::kPlaintext : Language::kCiphertext;
}

}  // namespace envcrypt
